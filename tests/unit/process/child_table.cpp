#include <waiter/process/child_table.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using waiter::child_table;

TEST_CASE("an empty table has nobody, and slot 0 is the first to give") {
  const child_table kids(4);
  CHECK(kids.count() == 0);
  CHECK(kids.vacant_slot() == 0);
  CHECK(kids.at(0) == nullptr);
  CHECK_FALSE(kids.find(100));
  CHECK(kids.pids().empty());
}

TEST_CASE("the lowest vacant slot is given first") {
  child_table kids(4);
  kids.book(0, 100, at(0ms));
  kids.book(1, 101, at(1ms));
  kids.book(2, 102, at(2ms));
  CHECK(kids.vacant_slot() == 3);

  kids.release(2);
  kids.release(0);
  CHECK(kids.vacant_slot() == 0);
  kids.book(0, 103, at(3ms));
  CHECK(kids.vacant_slot() == 2);
  CHECK(kids.pids() == std::vector<pid_t>{103, 101});
}

TEST_CASE("a kid is found by its pid until it is released, and a recycled pid is somebody else") {
  child_table kids(2);
  kids.book(0, 100, at(0ms));
  kids.book(1, 101, at(1ms));
  kids.mark_asked(1);
  kids.mark_killed(1);
  REQUIRE(kids.find(101) == 1u);
  CHECK(kids.at(1)->born == at(1ms));
  CHECK(kids.at(1)->asked);
  CHECK(kids.at(1)->killed);

  kids.release(1);
  CHECK_FALSE(kids.find(101));
  CHECK(kids.at(1) == nullptr);

  kids.book(1, 101, at(9ms));
  REQUIRE(kids.find(101) == 1u);
  CHECK(kids.at(1)->born == at(9ms));
  CHECK_FALSE(kids.at(1)->asked);
  CHECK_FALSE(kids.at(1)->killed);
}

TEST_CASE("no pid is the pid of a vacant slot") {
  child_table kids(3);
  kids.book(2, 100, at(0ms));
  CHECK_FALSE(kids.find(0));
  CHECK(kids.count() == 1);
  CHECK(kids.vacant_slot() == 0);
  CHECK(kids.at(2)->pid == 100);
}

TEST_CASE("each kid is visited once, in the order of slots") {
  child_table kids(4);
  kids.book(3, 103, at(0ms));
  kids.book(1, 101, at(0ms));
  std::vector<std::pair<std::size_t, pid_t>> seen;
  kids.for_each([&](std::size_t slot, const child_table::kid& kid) { seen.emplace_back(slot, kid.pid); });
  CHECK(seen == std::vector<std::pair<std::size_t, pid_t>>{{1, 101}, {3, 103}});
}

TEST_CASE("the table grows past the number expected") {
  child_table kids(1);
  for (pid_t pid = 1; pid <= 5000; ++pid) kids.book(kids.vacant_slot(), pid, at(0ms));
  CHECK(kids.count() == 5000);
  CHECK(kids.find(5000) == 4999u);
}

TEST_CASE("without a limit the table starts small") {
  child_table kids(std::numeric_limits<int>::max());
  kids.book(kids.vacant_slot(), 7, at(0ms));
  CHECK(kids.count() == 1);
}

TEST_CASE("up to the number expected, a kid stays where it is") {
  child_table kids(64);
  kids.book(0, 1, at(0ms));
  const auto* const first = kids.at(0);
  for (pid_t pid = 2; pid <= 64; ++pid) kids.book(kids.vacant_slot(), pid, at(0ms));
  for (std::size_t slot = 63; slot > 0; --slot) kids.release(slot);
  for (pid_t pid = 102; pid <= 164; ++pid) kids.book(kids.vacant_slot(), pid, at(0ms));
  CHECK(kids.at(0) == first);
}

TEST_CASE("kids belong to the generation that they were booked in, and the table counts those that live") {
  child_table kids(4);
  CHECK(kids.generations() == 0);
  kids.book(0, 100, at(0s));
  kids.book(1, 101, at(0s));
  CHECK(kids.generations() == 1);
  kids.begin_generation();
  CHECK(kids.generations() == 1);
  CHECK(kids.outdated(*kids.at(0)));
  kids.book(2, 102, at(1s), at(5s));
  CHECK(kids.generations() == 2);
  CHECK_FALSE(kids.outdated(*kids.at(2)));
  CHECK(kids.at(2)->expires == at(5s));
  kids.begin_generation();
  CHECK(kids.age_of(*kids.at(0)) == 2);
  CHECK(kids.age_of(*kids.at(2)) == 1);
  kids.release(0);
  kids.release(1);
  CHECK(kids.generations() == 1);
}

TEST_CASE("who was replaced was asked") {
  child_table kids(4);
  kids.book(0, 100, at(0s));
  kids.book(1, 101, at(0s));
  kids.mark_asked(0);
  kids.mark_replaced(1);
  CHECK_FALSE(kids.at(0)->replaced);
  CHECK(kids.at(1)->asked);
  CHECK(kids.at(1)->replaced);
  CHECK(kids.replaced() == 1);
  kids.release(0);
  CHECK(kids.replaced() == 1);
  kids.release(1);
  CHECK(kids.replaced() == 0);
}

TEST_CASE("a kid is stopped from when that is marked until it is marked to go on, and a fresh one is not") {
  child_table kids(2);
  kids.book(0, 100, at(0ms));
  CHECK_FALSE(kids.at(0)->stopped);
  kids.mark_stopped(0, true);
  CHECK(kids.at(0)->stopped);
  kids.mark_stopped(0, false);
  CHECK_FALSE(kids.at(0)->stopped);
  kids.mark_stopped(0, true);
  kids.release(0);
  kids.book(0, 101, at(1ms));
  CHECK_FALSE(kids.at(0)->stopped);
}
