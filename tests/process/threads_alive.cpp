#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"

#include <csignal>
#include <future>
#include <string>
#include <string_view>
#include <thread>

using namespace process_test;

namespace {

/// A server in a program that has a second thread.
template <class Policy>
int run(const teller& tell, bool allowed) {
  typename echo_server<Policy>::options settings;
  settings.address = "127.0.0.1";
  settings.grace = 1000ms;
  settings.logger = [&tell](std::string_view line) { tell("log ", line); };
  settings.fork.allow_threads = allowed;
  std::promise<void> end;
  std::thread other([over = end.get_future()]() mutable { over.wait(); });
  const int result = echo_server<Policy>(tell, settings).run();
  end.set_value();
  other.join();
  return result;
}

}  // namespace

TEST_CASE("forking beside another thread is refused: the client is closed at once, and the log says why") {
  forked server([](const teller& tell) { return run<waiter::forking>(tell, false); });
  support::client client(server.port());
  const support::stopwatch watch;
  CHECK(client.ask("hello\n").text.empty());
  CHECK(watch.elapsed() < 5000ms);
  CHECK(server.wait_for("log ") == "fork failed: fork refused: the process has more than one thread");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEST_CASE("a pool beside another thread stays empty, says why, and can be stopped") {
  forked server([](const teller& tell) { return run<waiter::prefork>(tell, false); });
  server.port();
  CHECK(server.wait_for("log ") == "fork failed: fork refused: the process has more than one thread");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEMPLATE_TEST_CASE("who allows threads is served beside them", "", waiter::forking, waiter::prefork) {
  forked server([](const teller& tell) { return run<TestType>(tell, true); });
  CHECK(ask(server.port(), "hello") == "hello\n");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}
