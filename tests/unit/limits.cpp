#include "support/catch.hpp"
#include <waiter/limits.hpp>
#include <waiter/waiter.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using waiter::limits;
using waiter::limits_of;

namespace {

/// The options of the ssl transport, as far as they are asked for here; so this needs no OpenSSL.
struct tls {
  struct options {
    std::string cert_file{};
    waiter::milliseconds handshake_timeout{10000};
  };
};

template <class ForkPolicy, class Transport>
using options = waiter::basic_options<ForkPolicy, Transport>;

}  // namespace

TEST_CASE("the defaults of the limits are those of the options") {
  const limits unset;
  const auto of_all = limits_of(options<waiter::prefork, tls>());
  CHECK(of_all.handshake_timeout == unset.handshake_timeout);
  CHECK(of_all.client_timeout == unset.client_timeout);
  CHECK(of_all.soft_limit == unset.soft_limit);
  CHECK(of_all.hard_limit == unset.hard_limit);
  CHECK(of_all.grace == unset.grace);
  CHECK(of_all.prefork == unset.prefork);
  CHECK(of_all.maxfork == unset.maxfork);
  CHECK(of_all.backlog == unset.backlog);
}

TEST_CASE("limits are taken from where they stand in the options") {
  const auto all =
      limits_of(options<waiter::prefork, tls>{.backlog = 9,
                                              .grace = 5s,
                                              .client_timeout = 2s,
                                              .fork = {.prefork = 6, .maxfork = 7, .soft_limit = 3s, .hard_limit = 4s},
                                              .transport = {.handshake_timeout = 1s}});
  CHECK(all.handshake_timeout == 1s);
  CHECK(all.client_timeout == 2s);
  CHECK(all.soft_limit == 3s);
  CHECK(all.hard_limit == 4s);
  CHECK(all.grace == 5s);
  CHECK(all.prefork == 6);
  CHECK(all.maxfork == 7);
  CHECK(all.backlog == 9);
}

TEST_CASE("what a policy does not have stays at its default") {
  const auto all = limits_of(options<waiter::nofork, waiter::plain>{.grace = 5s, .client_timeout = 2s});
  CHECK(all.grace == 5s);
  CHECK(all.client_timeout == 2s);
  CHECK(all.handshake_timeout == limits().handshake_timeout);
  CHECK(all.hard_limit == waiter::never);
  CHECK(all.maxfork == 0);
  CHECK(limits_of(options<waiter::forking, waiter::plain>{.fork = {.maxfork = 3}}).maxfork == 3);
}

namespace {

struct own_policy {
  struct options {
    unsigned long maxfork = 70000000000;
    std::chrono::seconds soft_limit{1};
  };
};

}  // namespace

TEST_CASE("an option of another type only has the name in common") {
  const auto all = limits_of(options<own_policy, waiter::plain>());
  CHECK(all.maxfork == 0);
  CHECK(all.soft_limit == waiter::never);
}
