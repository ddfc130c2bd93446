#include <waiter/system/exclusive_wait.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"

#include <waiter/system/listener.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <vector>

namespace {

using waiter::error_code;
using waiter::system::descriptor;
using waiter::system::exclusive_wait;
using waiter::system::listener;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

struct two_sockets {
  listener first{}, second{};
  exclusive_wait wait{};

  two_sockets() {
    error_code error;
    for (auto* one : {&first, &second}) {
      one->open({boost::asio::ip::make_address("127.0.0.1"), 0}, 64, waiter::never, error);
      REQUIRE_FALSE(error);
      one->never_wait();
    }
    open(wait);
  }
  void open(exclusive_wait& which) const {
    error_code error;
    which.open(std::array{first.get(), second.get()}, error);
    REQUIRE_FALSE(error);
  }
  std::optional<std::size_t> within(std::chrono::milliseconds limit) const { return wait.wait(clock_type::now() + limit); }
};

}  // namespace

TEST_CASE("the socket that has somebody is told") {
  two_sockets both;
  support::client client(both.second.local().port());
  CHECK(both.within(5s) == 1);
  error_code error;
  CHECK(both.second.accept(error));
  support::client other(both.first.local().port());
  CHECK(both.within(5s) == 0);
}

TEST_CASE("nobody comes, and the wait ends at its time") {
  two_sockets both;
  const support::stopwatch watch;
  CHECK_FALSE(both.within(60ms));
  CHECK(watch.elapsed() >= 55ms);
  CHECK_FALSE(both.within(-1s));
}

TEST_CASE("sockets that both have somebody take turns") {
  two_sockets both;
  std::vector<support::client> crowd;
  for (int n = 0; n < 20; ++n) crowd.emplace_back(both.first.local().port());
  support::client alone(both.second.local().port());
  error_code error;
  // The crowd cannot keep the one waiting for longer than a turn.
  for (int turn = 0; turn < 3; ++turn) {
    const auto which = both.within(5s);
    REQUIRE(which);
    REQUIRE((*which == 0 ? both.first : both.second).accept(error));
    if (*which == 1) return;
  }
  FAIL("three turns, and all of them the first one's");
}

TEST_CASE("a signal ends the wait, whether it comes before or meanwhile") {
  const taken_signals signals;
  two_sockets both;
  ::raise(SIGUSR1);
  CHECK_FALSE(both.wait.wait(clock_type::time_point::max()));
  waiter::system::mailbox.look();

  const pid_t sender = ::fork();
  if (sender == 0) {
    ::poll(nullptr, 0, 50);
    ::kill(::getppid(), SIGUSR1);
    ::_exit(0);
  }
  CHECK_FALSE(both.wait.wait(clock_type::time_point::max()));
  CHECK(waiter::system::mailbox.any());
  waiter::system::mailbox.look();
  ::waitpid(sender, nullptr, 0);
  // And the next wait is a wait again.
  support::client client(both.first.local().port());
  CHECK(both.within(5s) == 0);
}

TEST_CASE("of eight processes that wait, a client wakes one or two") {
  // On a busy machine a kid may be late to sleep, and then finds the client by itself; a herd would be there every time.
  int fewest = 8;
  for (int round = 0; round < 5 && fewest > 2; ++round) {
    two_sockets both;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const descriptor reading(ends[0]);
    descriptor writing(ends[1]);
    std::array<pid_t, 8> kids{};
    for (auto& kid : kids) {
      kid = ::fork();
      if (kid != 0) continue;
      exclusive_wait own;
      both.open(own);
      const bool woken = own.wait(clock_type::now() + 20s).has_value();
      [[maybe_unused]] const auto written = ::write(writing.get(), "x", woken ? 1 : 0);
      ::pause();
    }
    writing.reset();
    for (const pid_t kid : kids)
      CHECK(support::eventually([kid] { return support::voluntary_switches(kid) > 0 && support::look_at(kid)->state == 'S'; }));
    support::client client(both.second.local().port());
    char said = 0;
    pollfd first{reading.get(), POLLIN, 0};
    CHECK(::poll(&first, 1, 20000) == 1);
    ::poll(nullptr, 0, 200);
    for (const pid_t kid : kids) ::kill(kid, SIGKILL);
    int woken = 0;
    while (::read(reading.get(), &said, 1) == 1) ++woken;
    for (const pid_t kid : kids) ::waitpid(kid, nullptr, 0);
    CHECK(woken >= 1);
    fewest = std::min(fewest, woken);
  }
  CHECK(fewest <= 2);
}
