#include <waiter/process/take_census.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <array>
#include <chrono>

using namespace std::chrono_literals;
using waiter::activity;
using waiter::census;
using waiter::kid_report;
using waiter::take_census;

TEST_CASE("the census counts who lives and was not asked to leave; starting counts as idle") {
  const auto t = at(0ms);
  const std::array<kid_report, 5> reports{
      {{activity::idle, t}, {activity::busy, t}, {activity::starting, t}, {activity::busy, t}}};
  waiter::child_table kids(6);
  CHECK(take_census(kids, reports) == census{.busy = 0, .kids = 0});

  kids.book(0, 100, t);
  kids.book(1, 101, t);
  kids.book(2, 102, t);
  CHECK(take_census(kids, reports) == census{.busy = 1, .kids = 3});

  kids.book(3, 103, t);
  CHECK(take_census(kids, reports) == census{.busy = 2, .kids = 4});
  kids.mark_asked(3);
  CHECK(take_census(kids, reports) == census{.busy = 1, .kids = 3});

  kids.book(5, 105, t);
  CHECK(take_census(kids, reports) == census{.busy = 1, .kids = 4});
}
