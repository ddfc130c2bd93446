#include <waiter/system/event_wait.hpp>
#include <waiter/system/signal_mask.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/deadline.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>

namespace {

using clock_type = std::chrono::steady_clock;
using waiter::system::mailbox;
using waiter::system::notice;
using waiter::system::wait_for_event;
using namespace std::chrono_literals;

sigset_t nothing_blocked() {
  sigset_t none;
  ::sigemptyset(&none);
  return none;
}

}  // namespace

TEST_CASE("a descriptor that is ready ends the wait, and is told") {
  const stream_pair pair;
  REQUIRE(::send(pair.theirs.get(), "x", 1, 0) == 1);
  pollfd waited[] = {{-1, POLLIN, 0}, {pair.ours.get(), POLLIN, 0}};
  CHECK(wait_for_event(waited, clock_type::time_point::max(), nothing_blocked()) == 1);
  CHECK(waited[0].revents == 0);
  CHECK(waited[1].revents == POLLIN);
}

TEST_CASE("a wait lasts until its time, never shorter, and not at all when that is over") {
  pollfd one{-1, POLLIN, 0};
  for (const auto span : {0us, 1us, 999us, 20'000us, 1'000'000us}) {
    CAPTURE(span.count());
    const auto until = clock_type::now() + span;
    CHECK(wait_for_event({&one, 1}, until, nothing_blocked()) == 0);
    CHECK(clock_type::now() >= until);
  }
  for (const auto past : {clock_type::now() - 1h, clock_type::time_point(), clock_type::time_point(-1h)}) {
    const support::stopwatch watch;
    CHECK(wait_for_event({&one, 1}, past, nothing_blocked()) == 0);
    CHECK(watch.elapsed() < 2000ms);
  }
  CHECK(wait_for_event({}, clock_type::now(), nothing_blocked()) == 0);
}

TEST_CASE("a signal comes in, soon enough, where a descriptor is always ready") {
  const taken_signals signals;
  const waiter::system::signal_mask mask;
  const stream_pair pair;
  REQUIRE(::send(pair.theirs.get(), "x", 1, 0) == 1);
  pollfd one{pair.ours.get(), POLLIN, 0};
  for (int round = 0; round < 3; ++round) {
    ::raise(SIGUSR1);
    int waits = 0;
    for (; waits < 100 && !mailbox.any(); ++waits) CHECK(wait_for_event({&one, 1}, clock_type::time_point::max(), mask.waiting()) == 1);
    CHECK(waits <= 16);
    // And then it is kept out again.
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    CHECK(sigismember(&now, SIGUSR1) == 1);
    mailbox.look();
    CHECK(mailbox.take(notice::usr1) == 1);
  }
}

TEST_CASE("a signal that was blocked until the wait ends it at once, and nothing seems ready") {
  const taken_signals signals;
  const waiter::system::signal_mask mask;
  const stream_pair pair;
  ::raise(SIGUSR1);
  pollfd one{pair.ours.get(), POLLIN, POLLIN};
  CHECK(wait_for_event({&one, 1}, clock_type::now() + 30s, mask.waiting()) == 0);
  CHECK(one.revents == 0);
  CHECK(mailbox.take(notice::usr1) == 1);
}

TEST_CASE("of 5000 signals at any instant around a wait none is lost") {
  const taken_signals signals;
  const waiter::system::signal_mask mask;
  alarm_clock clock(SIGUSR1);
  unsigned random = 1;
  for (int round = 0; round < 5000; ++round) {
    random = random * 1103515245u + 12345u;
    clock.ring_in(1 + static_cast<long>(random >> 16) % 30000);
    const auto until = clock_type::now() + 5s;
    mailbox.look();
    if (mailbox.take(notice::usr1) == 0) {
      wait_for_event({}, until, mask.waiting());
      REQUIRE(mailbox.take(notice::usr1) == 1);
    }
  }
}
