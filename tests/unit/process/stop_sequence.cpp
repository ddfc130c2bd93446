#include <waiter/process/stop_sequence.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>

using namespace std::chrono_literals;
using waiter::action;
using waiter::child_table;
using waiter::instant;
using waiter::stop_sequence;

namespace {

struct two_kids {
  two_kids() {
    kids.book(0, 100, at(0ms));
    kids.book(1, 101, at(0ms));
  }

  /// The next action must be to signal this kid.
  void expect(action::verb kind, pid_t pid, instant now) {
    const auto next = stop.next(kids, now);
    REQUIRE(next);
    CHECK(next->kind == kind);
    CHECK(next->pid == pid);
    CHECK(kids.find(pid) == next->slot);
  }

  void expect_wait(instant until, instant now) {
    const auto next = stop.next(kids, now);
    REQUIRE(next);
    CHECK(next->kind == action::wait);
    CHECK(next->until == until);
  }

  void expect_finished(instant now) {
    const auto next = stop.next(kids, now);
    REQUIRE(next);
    CHECK(next->kind == action::finished);
  }

  child_table kids{4};
  stop_sequence stop{8s};
};

}  // namespace

TEST_CASE_METHOD(two_kids, "asleep, it has nothing to say") {
  CHECK_FALSE(stop.stopping());
  CHECK_FALSE(stop.next(kids, at(0s)));
  CHECK_FALSE(stop.next(kids, at(9999s)));
}

TEST_CASE("with no kid, a stop is finished at once") {
  child_table nobody(4);
  stop_sequence stop(8s);
  stop.stop(at(0s));
  CHECK(stop.stopping());
  CHECK(stop.next(nobody, at(0s))->kind == action::finished);
}

TEST_CASE_METHOD(two_kids, "ask each once, wait for them, finished") {
  stop.stop(at(1s));
  expect(action::ask, 100, at(1s));
  expect(action::ask, 101, at(1s));
  expect_wait(at(9s), at(1s));
  kids.release(0);
  expect_wait(at(9s), at(2s));
  kids.release(1);
  expect_finished(at(2s));
}

TEST_CASE_METHOD(two_kids, "who is left at the end of the grace time is killed once, and reaped") {
  stop.stop(at(0s));
  expect(action::ask, 100, at(0s));
  expect(action::ask, 101, at(0s));
  kids.release(0);
  expect_wait(at(8s), at(7999ms));
  expect(action::kill, 101, at(8s));
  expect_wait(at(10s), at(8s));
  kids.release(1);
  expect_finished(at(8s));
}

TEST_CASE_METHOD(two_kids, "who survives SIGKILL for 2 s is abandoned") {
  stop.stop(at(0s));
  expect(action::ask, 100, at(0s));
  expect(action::ask, 101, at(0s));
  expect(action::kill, 100, at(8s));
  expect(action::kill, 101, at(8s));
  expect_wait(at(10s), at(9999ms));
  expect_finished(at(10s));
  expect_finished(at(11s));
}

TEST_CASE_METHOD(two_kids, "a second stop changes nothing") {
  stop.stop(at(0s));
  expect(action::ask, 100, at(0s));
  stop.stop(at(5s));
  expect(action::ask, 101, at(5s));
  expect_wait(at(8s), at(5s));
  stop.stop(at(6s));
  expect_wait(at(8s), at(6s));
}

TEST_CASE_METHOD(two_kids, "a hurry cuts the grace time short, and a later one does not prolong it") {
  stop.stop(at(0s));
  expect(action::ask, 100, at(0s));
  expect(action::ask, 101, at(0s));
  stop.hurry(at(3s));
  stop.hurry(at(4s));
  expect(action::kill, 100, at(3s));
  expect(action::kill, 101, at(3s));
  expect_wait(at(5s), at(4s));
}

TEST_CASE_METHOD(two_kids, "a hurry out of the blue asks and kills") {
  stop.hurry(at(3s));
  expect(action::ask, 100, at(3s));
  expect(action::ask, 101, at(3s));
  expect(action::kill, 100, at(3s));
  expect(action::kill, 101, at(3s));
}

TEST_CASE_METHOD(two_kids, "who was asked before is not asked again, but killed like the others") {
  kids.mark_asked(0);
  stop.stop(at(0s));
  expect(action::ask, 101, at(0s));
  expect_wait(at(8s), at(0s));
  expect(action::kill, 100, at(8s));
}

TEST_CASE_METHOD(two_kids, "a kid that is booked late is asked, too") {
  stop.stop(at(0s));
  expect(action::ask, 100, at(0s));
  expect(action::ask, 101, at(0s));
  kids.book(2, 102, at(0s));
  expect(action::ask, 102, at(1s));
  expect_wait(at(8s), at(1s));
}

TEST_CASE_METHOD(two_kids, "a parent that slept through it all still asks, kills, and gives 2 s") {
  stop.stop(at(0s));
  expect(action::ask, 100, at(60s));
  expect(action::ask, 101, at(60s));
  expect(action::kill, 100, at(60s));
  expect(action::kill, 101, at(60s));
  expect_wait(at(62s), at(60s));
}

TEST_CASE_METHOD(two_kids, "no grace is at once; grace without end is up to a hurry") {
  stop = stop_sequence(0s);
  stop.stop(at(0s));
  expect(action::ask, 100, at(0s));
  expect(action::ask, 101, at(0s));
  expect(action::kill, 100, at(0s));

  two_kids patient;
  patient.stop = stop_sequence(waiter::never);
  patient.stop.stop(at(0s));
  patient.expect(action::ask, 100, at(0s));
  patient.expect(action::ask, 101, at(0s));
  patient.expect_wait(instant::max(), at(9999s));
  patient.stop.hurry(at(9999s));
  patient.expect(action::kill, 100, at(9999s));
}
