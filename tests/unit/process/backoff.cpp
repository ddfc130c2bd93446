#include <waiter/process/backoff.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>

using namespace std::chrono_literals;
using waiter::backoff;
using waiter::instant;

namespace {

/// Three kids, forked and dead at 0 s: the burst that opens it.
struct after_a_burst {
  after_a_burst() {
    for (int kid = 0; kid < 3; ++kid) {
      forks.forked(at(0ms));
      forks.young_death(at(0ms), at(0ms));
    }
  }

  /// A try that is allowed at `now`, and not a millisecond before.
  void fork_no_sooner_than(instant now) {
    CHECK_FALSE(forks.may_fork(now - 1ms));
    CHECK(forks.next_fork() == now);
    CHECK(forks.may_fork(now));
    forks.forked(now);
  }

  backoff forks{3};
};

}  // namespace

TEST_CASE("at first every fork is free") {
  backoff forks(3);
  CHECK(forks.may_fork(instant()));
  for (int kid = 0; kid < 1000; ++kid) {
    CHECK(forks.may_fork(at(0ms)));
    forks.forked(at(0ms));
  }
  CHECK_FALSE(forks.open());
  CHECK_FALSE(forks.in_doubt(at(0ms)));
}

TEST_CASE("fewer young deaths than a burst cost nothing") {
  backoff forks(3);
  forks.forked(at(0ms));
  forks.young_death(at(0ms), at(1ms));
  forks.forked(at(1ms));
  forks.young_death(at(1ms), at(2ms));
  CHECK(forks.may_fork(at(2ms)));
  CHECK_FALSE(forks.open());
}

TEST_CASE("a sound kid among them begins the count anew") {
  backoff forks(3);
  for (int round = 0; round < 10; ++round) {
    const auto now = at(round * 1s);
    forks.young_death(now, now);
    forks.young_death(now, now);
    forks.survived(now);
  }
  CHECK(forks.may_fork(at(10s)));
}

TEST_CASE_METHOD(after_a_burst, "after a burst, tries are 100 ms apart, then 200, 400, 800, and then 1 s") {
  CHECK(forks.open());
  fork_no_sooner_than(at(100ms));
  forks.young_death(at(100ms), at(101ms));
  fork_no_sooner_than(at(300ms));
  forks.young_death(at(300ms), at(301ms));
  fork_no_sooner_than(at(700ms));
  forks.young_death(at(700ms), at(701ms));
  fork_no_sooner_than(at(1500ms));
  forks.young_death(at(1500ms), at(1501ms));
  fork_no_sooner_than(at(2500ms));
  forks.young_death(at(2500ms), at(2501ms));
  fork_no_sooner_than(at(3500ms));
}

TEST_CASE_METHOD(after_a_burst, "the deaths of those born before do not lengthen the pause") {
  for (int kid = 0; kid < 20; ++kid) forks.young_death(at(-1s), at(50ms));
  fork_no_sooner_than(at(100ms));
}

TEST_CASE_METHOD(after_a_burst, "one try at a time; one whose outcome stays open for 2 s is not waited for any longer") {
  fork_no_sooner_than(at(100ms));
  fork_no_sooner_than(at(2100ms));
  forks.young_death(at(100ms), at(2200ms));
  fork_no_sooner_than(at(2300ms));
}

TEST_CASE_METHOD(after_a_burst, "the first sound kid makes every fork free again") {
  fork_no_sooner_than(at(100ms));
  forks.survived(at(100ms));
  CHECK_FALSE(forks.open());
  for (int kid = 0; kid < 8; ++kid) {
    CHECK(forks.may_fork(at(101ms)));
    forks.forked(at(101ms));
  }
}

TEST_CASE_METHOD(after_a_burst, "a kid from before the trouble proves nothing") {
  CHECK_FALSE(forks.in_doubt(at(-1ms)));
  CHECK(forks.in_doubt(at(0ms)));
  forks.survived(at(-1ms));
  CHECK(forks.open());
}

TEST_CASE_METHOD(after_a_burst, "a second burst opens it again, and begins with the short pause") {
  fork_no_sooner_than(at(100ms));
  forks.young_death(at(100ms), at(101ms));
  fork_no_sooner_than(at(300ms));
  forks.survived(at(300ms));
  for (int kid = 0; kid < 3; ++kid) {
    CHECK(forks.may_fork(at(400ms)));
    forks.forked(at(400ms));
    forks.young_death(at(400ms), at(400ms));
  }
  fork_no_sooner_than(at(500ms));
}

TEST_CASE_METHOD(after_a_burst, "a try that proved sound is not waited for when the next burst comes") {
  fork_no_sooner_than(at(100ms));
  forks.survived(at(100ms));
  for (int kid = 0; kid < 3; ++kid) forks.young_death(at(100ms), at(150ms));
  fork_no_sooner_than(at(200ms));
}

TEST_CASE("when the last fork was long ago, the first try comes at once, and is one already") {
  backoff forks(3);
  forks.forked(at(0ms));
  for (int kid = 0; kid < 3; ++kid) forks.young_death(at(0ms), at(1s));
  CHECK(forks.may_fork(at(1s)));
  forks.forked(at(1s));
  CHECK_FALSE(forks.may_fork(at(2s)));
  forks.young_death(at(1s), at(1s));
  CHECK(forks.next_fork() == at(1200ms));
}

TEST_CASE("a failed fork is tried again after 100 ms, and a good one ends that") {
  backoff forks(3);
  forks.fork_failed(at(0ms));
  CHECK_FALSE(forks.may_fork(at(99ms)));
  CHECK(forks.next_fork() == at(100ms));
  forks.fork_failed(at(100ms));
  CHECK_FALSE(forks.may_fork(at(199ms)));
  CHECK(forks.may_fork(at(200ms)));
  forks.forked(at(200ms));
  CHECK(forks.may_fork(at(200ms)));
}

TEST_CASE("however often forks fail, the pause does not grow") {
  backoff forks(3);
  auto now = at(0ms);
  for (int failure = 0; failure < 100; ++failure) {
    forks.fork_failed(now);
    CHECK(forks.next_fork() == now + 100ms);
    now = forks.next_fork();
  }
  CHECK_FALSE(forks.open());
}

TEST_CASE_METHOD(after_a_burst, "a try that fails to fork waits for both") {
  forks.fork_failed(at(50ms));
  CHECK(forks.next_fork() == at(150ms));
}
