#include <waiter/system/parent_watch.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

using namespace process_test;

namespace {

bool can_listen(std::uint16_t port) {
  waiter::system::listener listener;
  waiter::error_code error;
  listener.open({boost::asio::ip::make_address("127.0.0.1"), port}, 1, waiter::never, error);
  return !error;
}

int run_pool(const teller& tell) {
  return echo_server<waiter::prefork>(tell, {.address = "127.0.0.1", .fork = {.prefork = 4, .maxfork = 4}}).run();
}

/// The pool is complete.
void wait_for_kids(forked& server, int count) {
  for (int kid = 0; kid < count; ++kid) server.wait_for("started ");
}

}  // namespace

TEST_CASE("idle kids notice within 100 ms that their parent was killed, and the port is free") {
  milliseconds best = 1h;
  for (int round = 0; round < 5 && best > 100ms; ++round) {
    forked server(run_pool);
    const auto port = server.port();
    wait_for_kids(server, 4);
    CHECK(ask(port, "hello") == "hello\n");
    server.signal(SIGKILL);
    const support::stopwatch watch;
    REQUIRE(server.gone());
    best = std::min(best, watch.elapsed());
    CHECK(can_listen(port));
    CHECK(server.wait() == -SIGKILL);
  }
  CHECK(best <= 100ms);
}

TEST_CASE("a kid finishes its client after its parent was killed, and then leaves") {
  const bool pool = GENERATE(true, false);
  forked server([pool](const teller& tell) {
    if (pool) return run_pool(tell);
    return echo_server<waiter::forking>(tell, {.address = "127.0.0.1"}).run();
  });
  const auto port = server.port();
  if (pool) wait_for_kids(server, 4);
  holding client(port);
  REQUIRE(client.held);
  server.signal(SIGKILL);
  CHECK(server.wait() == -SIGKILL);
  CHECK(client.answered());
  CHECK(server.gone());
  CHECK(can_listen(port));
}

TEST_CASE("a kid knows that its parent lives, until it does not") {
  forked parent([](const teller& tell) {
    waiter::system::parent_watch pipe;
    waiter::error_code error;
    waiter::system::signal_handlers signals;
    signals.take(error);
    pipe.open(error);
    if (error) return 1;
    int go[2];
    if (::pipe(go) != 0 || ::fork() != 0) {
      ::close(go[1]);
      char byte = 0;
      [[maybe_unused]] const auto end = ::read(go[0], &byte, 1);  // the kid watches
      ::raise(SIGKILL);
    }
    ::close(go[0]);
    pipe.watch();
    tell("first ", pipe.parent_lives());
    tell("still ", pipe.parent_lives());
    ::close(go[1]);
    const bool heard = support::eventually([&] { return !pipe.parent_lives(); });
    tell("noticed ", heard);
    // The signal brings the news at once, wherever the kid waits.
    tell("signalled ", support::eventually([] { return waiter::system::mailbox.any(); }));
    tell("taken ", waiter::system::mailbox.take(waiter::system::notice::parent_gone));
    return 0;
  });
  CHECK(parent.number("first ") == 1);
  CHECK(parent.number("still ") == 1);
  CHECK(parent.number("noticed ") == 1);
  CHECK(parent.number("signalled ") == 1);
  CHECK(parent.number("taken ") == 1);
  CHECK(parent.wait() == -SIGKILL);
  CHECK(parent.gone());
}
TEST_CASE("a pool whose parent is killed while it is born leaves nobody behind") {
  for (unsigned round = 0; round < 32; ++round) {
    forked server([](const teller& tell) {
      return echo_server<waiter::prefork>(tell, {.address = "127.0.0.1", .fork = {.prefork = 16, .maxfork = 16}}).run();
    });
    for (unsigned births = 0; births < round / 2; ++births) server.wait_for("forked ");
    server.signal(SIGKILL);
    CHECK(server.gone());
    CHECK(server.wait() == -SIGKILL);
  }
}

