#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <csignal>
#include <set>
#include <string>

using namespace process_test;

namespace {

void stop(pid_t kid) {
  ::kill(kid, SIGSTOP);
  REQUIRE(support::eventually([kid] { return support::look_at(kid)->state == 'T'; }));
}

/// The pool, once it has so many kids.
std::set<pid_t> kids_of(const forked& server, std::size_t count) {
  std::set<pid_t> kids;
  REQUIRE(support::eventually([&] { return (kids = support::children_of(server.pid())).size() == count; }));
  return kids;
}

}  // namespace

TEST_CASE("a forked kid that is stopped holds up nobody, and does not outlive the server") {
  forked server(
      [](const teller& tell) { return echo_server<waiter::forking>(tell, {.address = "127.0.0.1", .grace = 300ms}).run(); });
  const auto port = server.port();
  holding held(port);
  REQUIRE(held.held);
  stop(*kids_of(server, 1).begin());
  for (int i = 0; i < 20; ++i) CHECK(ask(port, "hello") == "hello\n");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEST_CASE("a preforked kid that is stopped holds up nobody, and is replaced") {
  const bool with_client = GENERATE(true, false);
  forked server([](const teller& tell) {
    return echo_server<waiter::prefork>(tell, {.address = "127.0.0.1", .grace = 300ms, .fork = {.prefork = 2, .maxfork = 2}})
        .run();
  });
  const auto port = server.port();
  const auto kids = kids_of(server, 2);
  std::optional<holding> held;
  pid_t stopped = *kids.begin();
  if (with_client) {
    held.emplace(port);
    REQUIRE(held->held);
    support::client asks(port);
    asks.send("pid\n");
    stopped = *kids.begin() == std::stol(asks.read_line()) ? *kids.rbegin() : *kids.begin();
  }
  stop(stopped);
  for (int i = 0; i < 20; ++i) CHECK(ask(port, "hello") == "hello\n");
  CHECK(server.wait_for("ended " + std::to_string(stopped) + " ") == "9");
  CHECK(kids_of(server, 2).count(stopped) == 0);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEST_CASE("a preforked kid that is stopped for a moment keeps its client") {
  forked server([](const teller& tell) {
    return echo_server<waiter::prefork>(tell, {.address = "127.0.0.1", .fork = {.prefork = 1, .maxfork = 1}}).run();
  });
  holding held(server.port());
  REQUIRE(held.held);
  const pid_t kid = *kids_of(server, 1).begin();
  stop(kid);
  ::kill(kid, SIGCONT);
  CHECK(held.answered());
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}
