#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <csignal>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace process_test;

namespace {

template <class Policy>
int run_echo(const teller& tell) {
  typename echo_server<Policy>::options settings;
  settings.address = "127.0.0.1";
  settings.logger = [&tell](std::string_view line) { tell("log ", line); };
  return echo_server<Policy>(tell, settings).run();
}

/// Tells of each exception, and throws the word "out" on.
template <class Policy>
struct telling_server : waiter::basic_waiter<telling_server<Policy>, Policy> {
  using base = waiter::basic_waiter<telling_server, Policy>;
  using client_type = typename base::client_type;
  telling_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() { tell("port ", this->get_port()); }
  void on_process(client_type& client) {
    const auto line = client.read_line();
    if (line) throw std::runtime_error(*line);
  }
  void on_sig_usr1() { throw std::runtime_error("out"); }
  void on_close(client_type&) {
    tell("closed");
    throw std::runtime_error("in on_close");
  }
  void on_exception(std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::runtime_error& failure) {
      tell("caught ", failure.what());
      if (failure.what() == std::string("out")) throw;
    }
  }
  const teller& tell;
};

template <class Policy>
int run_telling(const teller& tell) {
  telling_server<Policy> server(tell, {.address = "127.0.0.1", .grace = 2000ms});
  try {
    return server.run();
  } catch (const std::runtime_error& failure) {
    tell("left run ", failure.what());
    return 9;
  }
}

}  // namespace

TEMPLATE_TEST_CASE("a hook that throws ends its client and is logged; the server lives", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  forked server(run_echo<TestType>);
  const auto port = server.port();
  for (int i = 0; i < 10; ++i) {
    CHECK(ask(port, "throw").empty());
    CHECK(server.wait_for("log ") == "on_process threw: something that is no std::exception");
    CHECK(ask(port, "hello") == "hello\n");
  }
  if (std::is_same_v<TestType, waiter::forking>) {
    for (int i = 0; i < 10; ++i) {
      // A kid that saw one exits with 1.
      bool with_one = false;
      while (!with_one) with_one = server.wait_for("ended ").ends_with(" 256");
    }
  } else {
    CHECK(server.count("ended ") == 0);
  }
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEMPLATE_TEST_CASE("each exception is told, on_close runs all the same, and so may throw itself", "", waiter::nofork,
                   waiter::forking, waiter::prefork) {
  forked server(run_telling<TestType>);
  const auto port = server.port();
  for (int i = 0; i < 5; ++i) {
    CHECK(support::client(port).ask("once\n").text.empty());
    server.wait_for("caught once");
    server.wait_for("closed");
    server.wait_for("caught in on_close");
  }
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEMPLATE_TEST_CASE("what on_exception throws on stops the server in order and leaves run()", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  forked server(run_telling<TestType>);
  const auto port = server.port();
  CHECK(support::client(port).ask("once\n").text.empty());
  server.signal(SIGUSR1);
  CHECK(server.wait_for("left run ") == "out");
  CHECK(server.wait() == 9);
  CHECK(server.gone());
  CHECK_FALSE(support::client(port).connected());
}

TEST_CASE("what on_exception throws on in a kid ends that kid, not the server") {
  SECTION("forking") {
    forked server(run_telling<waiter::forking>);
    const auto port = server.port();
    for (int i = 0; i < 3; ++i) CHECK(support::client(port).ask("out\n").text.empty());
    CHECK(support::client(port).ask("once\n").text.empty());
    server.wait_for("caught once");
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
    CHECK(server.gone());
  }
  SECTION("prefork") {
    forked server(run_telling<waiter::prefork>);
    const auto port = server.port();
    for (int i = 0; i < 3; ++i) CHECK(support::client(port).ask("out\n").text.empty());
    CHECK(support::client(port).ask("once\n").text.empty());
    server.wait_for("caught once");
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
    CHECK(server.gone());
  }
}

TEMPLATE_TEST_CASE("a client that goes away is nobody's exception", "", waiter::nofork, waiter::forking, waiter::prefork) {
  forked server(run_echo<TestType>);
  const auto port = server.port();
  for (int i = 0; i < 10; ++i) {
    support::client gone(port);
    gone.send("half a li");
    gone.reset();
  }
  CHECK(ask(port, "hello") == "hello\n");
  CHECK(server.count("log ") == 0);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}
