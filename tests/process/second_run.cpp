#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

using namespace process_test;

TEMPLATE_TEST_CASE("a server that has run runs again, as if it were the first time", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  forked server([](const teller& tell) {
    echo_server<TestType> one(tell, {.address = "127.0.0.1"});
    int worst = 0;
    for (int round = 0; round < 3; ++round) {
      worst = std::max(worst, one.run());
      tell("after ", one.get_kids_count(), " ", one.get_kid_pids().size(), " ", one.get_server_socket(), " ", one.is_child());
      tell("descriptors ", support::descriptors_of(::getpid()).size());
      tell("children ", support::children_of(::getpid()).size());
    }
    return worst;
  });
  long descriptors = 0;
  for (int round = 0; round < 3; ++round) {
    const auto port = server.port();
    for (int i = 0; i < 5; ++i) CHECK(ask(port, "hello") == "hello\n");
    server.signal(SIGTERM);
    CHECK(server.wait_for("after ") == "0 0 -1 0");
    const auto now = server.number("descriptors ");
    if (round == 0) descriptors = now;
    // The board and pipes of the last run may be kept, but no more with each.
    CHECK(now <= descriptors);
    CHECK(server.number("children ") == 0);
    CHECK_FALSE(support::client(port).connected());
  }
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEST_CASE("one server after another, of different kinds, in one process") {
  forked server([](const teller& tell) {
    int worst = 0;
    {
      echo_server<waiter::prefork> one(tell, {.address = "127.0.0.1"});
      worst = std::max(worst, one.run());
    }
    echo_server<waiter::nofork> two(tell, {.address = "127.0.0.1"});
    worst = std::max(worst, two.run());
    echo_server<waiter::forking> three(tell, {.address = "127.0.0.1"});
    return std::max(worst, three.run());
  });
  for (int round = 0; round < 3; ++round) {
    CHECK(ask(server.port(), "hello") == "hello\n");
    server.signal(SIGTERM);
  }
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

namespace {

/// Runs a second server inside a hook of the first.
struct nested_server : waiter::basic_waiter<nested_server, waiter::nofork> {
  nested_server(const teller& how, options settings) : basic_waiter(settings), tell(how) {}
  void on_listen_ok() {
    echo_server<waiter::nofork> inner(tell,
                                      {.address = "127.0.0.1", .logger = [this](std::string_view line) { tell("log ", line); }});
    tell("inner ", inner.run());
    tell("port ", get_port());
  }
  void on_process(client_type& client) { client.write("served\n"); }
  const teller& tell;
};

}  // namespace

TEST_CASE("a server inside a server is refused, and the outer one goes on") {
  forked server([](const teller& tell) { return nested_server(tell, {.address = "127.0.0.1"}).run(); });
  CHECK(server.number("inner ") == 100);
  CHECK(server.wait_for("log ") == "not listening: the signals of this process are taken: Device or resource busy");
  CHECK(ask(server.port(), "hello") == "served\n");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}
