#include <waiter/async_ssl.hpp>

#include "async_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"
#include "support/tls_client.hpp"

#include <csignal>
#include <string>
#include <vector>

using namespace process_test;

namespace {

struct certificate {
  support::temp_directory directory{};
  std::string file = directory / "certificate.pem";
  std::string key = directory / "key.pem";
  certificate() { support::make_certificate(file, key); }
};

template <class ForkPolicy>
using settings_of = typename async_server<ForkPolicy, waiter::async<waiter::ssl>>::options;

template <class ForkPolicy>
forked started(const certificate& own, settings_of<ForkPolicy> settings = {}) {
  settings.address = "127.0.0.1";
  settings.transport.cert_file = own.file;
  settings.transport.key_file = own.key;
  return forked([settings](const teller& tell) { return async_server<ForkPolicy, waiter::async<waiter::ssl>>(tell, settings).run(); });
}

}  // namespace

TEMPLATE_TEST_CASE("many TLS clients are served at the same time, and each hears that nothing was cut off", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  const certificate own;
  auto one = started<TestType>(own);
  const auto port = one.port();
  std::vector<support::tls_client> clients;
  for (int i = 0; i < 12; ++i) clients.emplace_back(port);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CAPTURE(clients[i].error());
    REQUIRE(clients[i].handshaken());
    CHECK(clients[i].ask("hello " + std::to_string(i) + "\nquit\n") == support::answer("hello " + std::to_string(i) + "\n"));
  }
  one.signal(SIGTERM);
  CHECK(one.wait() == 0);
  CHECK(one.count("closes ") == 12);
  CHECK(one.count("failed") == 0);
}

TEST_CASE("a client that does not shake hands is closed at the deadline for that, and holds up nobody") {
  const certificate own;
  settings_of<waiter::nofork> settings;
  settings.transport.handshake_timeout = 300ms;
  auto one = started<waiter::nofork>(own, settings);
  const auto port = one.port();
  support::client silent(port);
  support::tls_client talks(port);
  REQUIRE(talks.handshaken());
  CHECK(silent.read_all().how == support::outcome::end_of_stream);
  CHECK(talks.ask("still here\nquit\n") == support::answer("still here\n"));
}

TEST_CASE("of too many handshakes in a loop the oldest gives way to who comes") {
  const certificate own;
  settings_of<waiter::nofork> settings;
  settings.max_handshakes = 2;
  settings.transport.handshake_timeout = 60s;
  auto one = started<waiter::nofork>(own, settings);
  const auto port = one.port();
  std::vector<support::client> silent;
  for (int i = 0; i < 4; ++i) silent.emplace_back(port);
  CHECK(silent[0].read_all().how == support::outcome::end_of_stream);
  CHECK(silent[1].read_all().how == support::outcome::end_of_stream);
  support::tls_client talks(port);
  CHECK(talks.handshaken());
}

TEST_CASE("a stop ends TLS clients in every state, and on_close runs for each") {
  const certificate own;
  settings_of<waiter::prefork> settings;
  settings.grace = 800ms;
  settings.fork.prefork = 2;
  auto one = started<waiter::prefork>(own, settings);
  const auto port = one.port();
  support::client silent(port);
  support::tls_client idle(port), elsewhere(port);
  REQUIRE(idle.handshaken());
  REQUIRE(elsewhere.handshaken());
  elsewhere.send("sleep\n");
  one.wait_for("accepted "), one.wait_for("accepted "), one.wait_for("accepted ");
  one.signal(SIGTERM);
  CHECK(one.wait() == 0);
  CHECK(one.gone());
  CHECK(one.count("closes ") == 3);
}
