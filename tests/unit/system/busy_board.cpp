#include <waiter/system/busy_board.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>

namespace {

using waiter::census;
using waiter::system::busy_board;
using state = busy_board::state;

struct open_board : busy_board {
  explicit open_board(std::size_t places) {
    waiter::error_code error;
    open(places, error);
    REQUIRE_FALSE(error);
  }
  /// So many idle kids in the first places.
  void seat_idle(std::size_t kids) {
    for (std::size_t place = 0; place < kids; ++place) seat(place), idle(place);
  }
};

}  // namespace

TEST_CASE("a fresh board has nobody on it") {
  const open_board board(4);
  CHECK(board.places() == 4);
  CHECK(board.count() == census{});
  CHECK(board.count_greeting() == 0);
  for (std::size_t place = 0; place < 4; ++place) {
    CHECK(board.is(place) == state::vacant);
    CHECK_FALSE(board.has_served(place));
  }
}

TEST_CASE("a board that was never opened has nobody on it either") {
  busy_board board;
  CHECK(board.places() == 0);
  CHECK(board.count() == census{});
  CHECK(board.count_greeting() == 0);
  board.close();
}

TEST_CASE("a kid is counted from its place to its end, and is busy while it has a client") {
  open_board board(8);
  board.seat(0);
  board.seat(3);
  CHECK(board.count() == census{.busy = 0, .kids = 2});
  board.idle(0);
  CHECK(board.count() == census{.busy = 0, .kids = 2});
  board.greeting(0);
  CHECK(board.count() == census{.busy = 1, .kids = 2});
  CHECK(board.count_greeting() == 1);
  board.greeted(0);
  CHECK(board.count_greeting() == 0);
  CHECK(board.is(0) == state::busy);
  board.busy(3);
  CHECK(board.count() == census{.busy = 2, .kids = 2});
  board.served(0);
  board.idle(0);
  CHECK(board.count() == census{.busy = 1, .kids = 2});
  board.vacate(3);
  CHECK(board.count() == census{.busy = 0, .kids = 1});
}

TEST_CASE("of too many clients in their handshake those give way who began first") {
  open_board board(8);
  board.seat_idle(6);
  for (const std::size_t place : {4u, 2u, 0u, 5u}) board.greeting(place);
  const auto giving_way = [&board](int most) {
    std::string places;
    for (std::size_t place = 0; place < 8; ++place)
      if (board.gives_way(place, most)) places += std::to_string(place);
    return places;
  };
  CHECK(giving_way(5).empty());
  CHECK(giving_way(4).empty());
  CHECK(giving_way(3) == "4");
  CHECK(giving_way(2) == "24");
  CHECK(giving_way(0) == "0245");
  board.greeted(4);  // done in time
  CHECK(giving_way(3).empty());
  CHECK(giving_way(2) == "2");
  board.idle(2);
  board.greeting(2);  // the next client of that kid came last
  CHECK(giving_way(2) == "0");
}

TEST_CASE("the next kid of a place begins anew") {
  open_board board(1);
  board.seat(0);
  board.busy(0);
  board.served(0);
  CHECK(board.has_served(0));
  board.vacate(0);
  CHECK(board.has_served(0));
  board.seat(0);
  CHECK_FALSE(board.has_served(0));
  CHECK(board.is(0) == state::starting);
}

TEST_CASE("a handshake that is done does not begin the client's time again") {
  open_board board(1);
  board.seat(0);
  board.greeting(0);
  const auto since = board.since(0);
  CHECK(since <= std::chrono::steady_clock::now());
  CHECK(since > std::chrono::steady_clock::now() - std::chrono::seconds(10));
  board.greeted(0);
  CHECK(board.since(0) == since);
}

TEST_CASE("a closed board can be opened again, and remembers nothing") {
  open_board board(2);
  board.seat_idle(2);
  board.close();
  CHECK(board.count() == census{});
  waiter::error_code error;
  board.open(3, error);
  REQUIRE_FALSE(error);
  CHECK(board.places() == 3);
  CHECK(board.count() == census{});
}

TEST_CASE("more places than there is memory are an error") {
  busy_board board;
  waiter::error_code error;
  board.open(std::numeric_limits<std::size_t>::max() / 128, error);
  CHECK(error == boost::system::errc::not_enough_memory);
  CHECK(board.places() == 0);
}

TEST_CASE("nobody calls a parent that has not asked for it") {
  open_board board(4);
  board.seat_idle(2);
  board.busy(0);
  CHECK_FALSE(board.must_call());
  board.wake_at(-1);
  board.busy(1);
  CHECK_FALSE(board.must_call());
}

TEST_CASE("a kid calls when as few are idle as the parent said, once until the parent has looked") {
  open_board board(8);
  board.seat_idle(4);
  board.wake_at(1);
  board.calls(0);

  board.busy(0);
  CHECK_FALSE(board.must_call());  // three are idle
  board.busy(1);
  CHECK_FALSE(board.must_call());  // two
  board.busy(2);
  CHECK(board.must_call());  // one: few
  board.idle(2);
  board.busy(2);
  CHECK_FALSE(board.must_call());  // called already
  board.calls(0);
  CHECK(board.must_call());  // and since looked at
}

TEST_CASE("that nobody is idle is a second reason to call, even for a parent that knows of the first") {
  open_board board(8);
  board.seat_idle(3);
  board.wake_at(1);
  board.calls(0);
  board.busy(0);
  board.busy(1);
  CHECK(board.must_call());
  board.busy(2);
  CHECK(board.must_call());
  CHECK_FALSE(board.must_call());

  board.calls(1);  // few are idle: the parent knows and wants to hear only worse
  board.idle(2);
  board.busy(2);
  CHECK(board.must_call());
  board.calls(1);
  board.idle(2);
  CHECK_FALSE(board.must_call());
}

TEST_CASE("with a mark of 0 a kid calls when it was the last idle one") {
  open_board board(8);
  board.seat_idle(2);
  board.wake_at(0);
  board.busy(0);
  CHECK_FALSE(board.must_call());
  board.busy(1);
  CHECK(board.must_call());
}

TEST_CASE("a kid that still starts counts as one that will be idle, a dead one does not") {
  open_board board(8);
  board.seat_idle(1);
  board.seat(1);
  board.wake_at(0);
  board.busy(0);
  CHECK_FALSE(board.must_call());
  board.vacate(1);
  CHECK(board.must_call());
}

TEST_CASE("a kid in its handshake is not idle") {
  open_board board(8);
  board.seat_idle(2);
  board.wake_at(0);
  board.greeting(0);
  CHECK_FALSE(board.must_call());
  board.greeting(1);
  CHECK(board.must_call());
}

TEST_CASE("of those who notice the same within a second, one speaks for all") {
  open_board board(1);
  CHECK(board.first_this_second());
  CHECK_FALSE(board.first_this_second());
}

TEST_CASE("a kid that is due says so until its place is another's") {
  open_board board(2);
  board.seat_idle(2);
  CHECK_FALSE(board.is_due(0));
  board.due(0);
  CHECK(board.is_due(0));
  CHECK_FALSE(board.is_due(1));
  board.seat(0);
  CHECK_FALSE(board.is_due(0));
}

TEST_CASE("a kid that leaves is there, and neither busy nor idle") {
  open_board board(4);
  board.seat_idle(4);
  board.wake_at(1);
  board.leaving(0);
  board.leaving(1);
  CHECK(board.count() == census{.busy = 0, .kids = 4});
  board.busy(2);
  CHECK(board.must_call());  // only one is idle by now
}

TEST_CASE("a kid that gets ready wakes the parent when that waits for it") {
  open_board board(1);
  CHECK_FALSE(board.start_is_expected());
  board.expect_start(true);
  CHECK(board.start_is_expected());
  board.expect_start(false);
  CHECK_FALSE(board.start_is_expected());
}

TEST_CASE("a kid counts from when it is seated, wherever its place is, and its time begins then") {
  open_board board(5);
  board.seat(3);
  CHECK(board.count().kids == 1);
  CHECK(board.since(3) <= std::chrono::steady_clock::now());
  CHECK(board.since(3) > std::chrono::steady_clock::now() - std::chrono::seconds(10));
}

TEST_CASE("a kid with many clients is busy to those who count, and takes more until it says that it does not") {
  open_board board(4);
  board.seat_idle(3);
  CHECK_FALSE(board.many(0, 1, 1, true));
  CHECK(board.is(0) == state::open);
  CHECK(board.count() == census{.busy = 1, .kids = 3});
  CHECK(board.count_greeting() == 1);
  CHECK_FALSE(board.many(0, 2, 0, true));
  CHECK(board.count_greeting() == 0);
  CHECK(board.many(0, 3, 0, false));
  CHECK(board.is(0) == state::busy);
  CHECK_FALSE(board.many(0, 3, 0, false));
  CHECK(board.count() == census{.busy = 1, .kids = 3});
  CHECK_FALSE(board.many(0, 0, 0, true));
  CHECK(board.is(0) == state::idle);
}

TEST_CASE("those who would take another client are at the door, with all of theirs") {
  open_board board(4);
  board.seat_idle(4);
  CHECK(board.at_door() == waiter::attendance{0, 0});
  board.many(0, 0, 0, true);
  board.many(1, 5, 2, true);
  board.many(2, 7, 0, false);
  CHECK(board.at_door() == waiter::attendance{5, 2});
  board.vacate(1);
  CHECK(board.at_door() == waiter::attendance{0, 1});
  board.many(3, 1, 0, true);
  board.seat(3);
  CHECK(board.at_door() == waiter::attendance{0, 1});
}

TEST_CASE("a kid with clients that takes more needs no other beside it") {
  open_board board(3);
  board.seat_idle(3);
  board.wake_at(1);
  board.many(0, 1, 0, true);
  board.many(1, 2, 0, false);
  CHECK_FALSE(board.must_call());
  board.many(0, 2, 0, false);
  CHECK(board.must_call());
}
