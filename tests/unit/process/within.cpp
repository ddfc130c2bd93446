#include "support/catch.hpp"
#include <waiter/process/within.hpp>
#include <waiter/waiter.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

namespace {

/// The options of the ssl transport, as far as they are asked for here; so this needs no OpenSSL.
struct tls {
  struct options {
    std::string cert_file{};
    waiter::milliseconds handshake_timeout{10000};
  };
};

using options = waiter::basic_options<waiter::prefork, tls>;

constexpr waiter::limits nothing;
constexpr waiter::limits some{.client_timeout = 20s, .hard_limit = 30s, .maxfork = 40};
constexpr waiter::limits all{.handshake_timeout = 1s,
                             .client_timeout = 2s,
                             .soft_limit = 3s,
                             .hard_limit = 4s,
                             .grace = 5s,
                             .prefork = 6,
                             .maxfork = 7,
                             .backlog = 8};

static_assert(waiter::fitting<nothing>::proved() && waiter::fitting<some>::proved() && waiter::fitting<all>::proved());

}  // namespace

TEST_CASE("limits are put into the options, each in its place") {
  const auto made = waiter::within<all>(options{.port = 9443, .transport = {.cert_file = "cert.pem"}});
  CHECK(made.transport.handshake_timeout == 1s);
  CHECK(made.client_timeout == 2s);
  CHECK(made.fork.soft_limit == 3s);
  CHECK(made.fork.hard_limit == 4s);
  CHECK(made.grace == 5s);
  CHECK(made.fork.prefork == 6);
  CHECK(made.fork.maxfork == 7);
  CHECK(made.backlog == 8);
  CHECK(made.port == 9443);
  CHECK(made.transport.cert_file == "cert.pem");
}

TEST_CASE("what the limits leave at its default stays as the options say") {
  const auto made = waiter::within<some>(options{.grace = 50s, .client_timeout = 1s, .fork = {.prefork = 3, .soft_limit = 25s}});
  CHECK(made.grace == 50s);
  CHECK(made.fork.prefork == 3);
  CHECK(made.fork.soft_limit == 25s);
  CHECK(made.client_timeout == 20s);
  CHECK(made.fork.hard_limit == 30s);
  CHECK(made.fork.maxfork == 40);
}
