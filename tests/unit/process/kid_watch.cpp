#include "support/catch.hpp"
#include "unit/process/moment.hpp"
#include <waiter/process/kid_watch.hpp>

#include <chrono>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using waiter::activity;
using waiter::instant;
using waiter::kid_report;
using waiter::kid_watch;
using order = waiter::kid_watch::order;

namespace {

/// One kid with pid 100 in slot 0, whose clients have 1 s before it is reminded and 2 s before it is killed.
struct watched_kid {
  explicit watched_kid(kid_watch::limits limits = {.soft = 1s, .hard = 2s}) : watch(limits) {
    kids.book(0, 100, at(0s));
    look();
  }

  std::optional<order::verb> look() {
    const auto found = watch.look(kids, {&said, 1}, now);
    if (!found) return std::nullopt;
    CHECK(found->slot == 0);
    CHECK(found->pid == 100);
    return found->kind;
  }

  /// Looks once a tick for so long, as the loop does; the first order ends it.
  std::optional<order::verb> run(waiter::milliseconds time) {
    for (const instant end = now + time; now < end;) {
      now += kid_watch::tick;
      if (const auto kind = look()) return kind;
    }
    return std::nullopt;
  }

  void takes_client() { said = {activity::busy, now}, look(); }
  void is_idle() { said = {activity::idle, now}, look(); }

  waiter::child_table kids{4};
  kid_report said{activity::idle, at(0s)};
  instant now = at(0s);
  kid_watch watch;
};

}  // namespace

TEST_CASE("a kid is reminded once at the soft limit, and killed once at the hard one") {
  watched_kid kid;
  kid.takes_client();
  const instant began = kid.now;
  REQUIRE(kid.run(10s) == order::remind);
  CHECK(kid.now - began >= 1s);
  CHECK(kid.now - began <= 1s + 2 * kid_watch::tick);
  REQUIRE(kid.run(10s) == order::kill_late);
  CHECK(kid.now - began >= 2s);
  CHECK(kid.now - began <= 2s + 2 * kid_watch::tick);
  CHECK_FALSE(kid.run(10s));
}

TEST_CASE("it has to be told of the next client while none is timed, and only when there is a limit") {
  watched_kid kid;
  CHECK(kid.watch.awaits_client());
  kid.takes_client();
  CHECK_FALSE(kid.watch.awaits_client());
  kid.is_idle();
  CHECK(kid.watch.awaits_client());
  watched_kid without(kid_watch::limits{});
  CHECK_FALSE(without.watch.awaits_client());
}

TEST_CASE("each client has a time of its own") {
  watched_kid kid;
  for (int client = 0; client < 5; ++client) {
    kid.takes_client();
    CHECK_FALSE(kid.run(900ms));
    kid.is_idle();
  }
  kid.takes_client();
  CHECK_FALSE(kid.run(900ms));
  // The next one without a look between the two.
  kid.takes_client();
  CHECK_FALSE(kid.run(900ms));
}

TEST_CASE("time in which the parent did not run makes nobody late") {
  watched_kid kid;
  kid.takes_client();
  CHECK_FALSE(kid.run(500ms));
  kid.now += 1h;  // suspended
  CHECK_FALSE(kid.look());
  CHECK_FALSE(kid.run(400ms));
  CHECK(kid.run(100ms) == order::remind);

  // A parent that comes to run only once a second counts little of it.
  watched_kid starved;
  starved.takes_client();
  for (int turn = 0; turn < 15; ++turn) {
    starved.now += 1s;
    CHECK_FALSE(starved.look());
  }
}

TEST_CASE("a kid that stays stopped is killed, one that continues is not") {
  watched_kid kid(kid_watch::limits{});
  kid.kids.mark_stopped(0, true);
  CHECK_FALSE(kid.run(400ms));
  kid.kids.mark_stopped(0, false);
  CHECK_FALSE(kid.run(10s));

  kid.kids.mark_stopped(0, true);
  CHECK_FALSE(kid.run(kid_watch::stop_patience - kid_watch::tick));
  CHECK(kid.run(2 * kid_watch::tick) == order::kill_stopped);
  CHECK_FALSE(kid.run(10s));
}

TEST_CASE("a group that was stopped as a whole loses nobody") {
  watched_kid kid(kid_watch::limits{});
  kid.kids.mark_stopped(0, true);
  kid.now += 60s;  // the parent was stopped too, and continues first
  CHECK_FALSE(kid.look());
  kid.kids.mark_stopped(0, false);
  CHECK_FALSE(kid.run(10s));
}

TEST_CASE("without a limit and a stopped kid there is nothing to look for") {
  watched_kid kid(kid_watch::limits{});
  CHECK(kid.watch.next_look(kid.now) == instant::max());
  kid.takes_client();
  CHECK(kid.watch.next_look(kid.now) == instant::max());
  kid.kids.mark_stopped(0, true);
  kid.look();
  CHECK(kid.watch.next_look(kid.now) == kid.now + kid_watch::tick);

  watched_kid limited;
  CHECK(limited.watch.next_look(limited.now) == instant::max());
  limited.takes_client();
  CHECK(limited.watch.next_look(limited.now) == limited.now + kid_watch::tick);
}

TEST_CASE("two late kids get one order each") {
  kid_watch watch({.soft = waiter::never, .hard = 1s});
  waiter::child_table kids(4);
  kids.book(0, 100, at(0s));
  kids.book(1, 101, at(0s));
  const std::vector<kid_report> said(2, {activity::busy, at(1ms)});
  std::vector<pid_t> killed;
  for (instant now = at(1ms); now < at(3s); now += kid_watch::tick)
    while (const auto found = watch.look(kids, said, now)) {
      CHECK(found->kind == order::kill_late);
      killed.push_back(found->pid);
    }
  CHECK(killed == std::vector<pid_t>{100, 101});
}

TEST_CASE("a kid that was asked to leave and stays is killed once, after its time without a client") {
  watched_kid kid({.drain = 3s});
  CHECK_FALSE(kid.run(10s));
  kid.kids.mark_asked(0);
  const instant asked = kid.now;
  REQUIRE(kid.run(10s) == order::kill_leaving);
  CHECK(kid.now - asked >= 3s);
  CHECK(kid.now - asked <= 3s + 2 * kid_watch::tick);
  CHECK_FALSE(kid.run(10s));
}

TEST_CASE("a client that it took in the last moment is served, unless its kid is of an earlier generation") {
  watched_kid kid({.drain = 3s});
  kid.kids.mark_asked(0);
  CHECK_FALSE(kid.run(2s));
  kid.said = {GENERATE(activity::busy, activity::open), kid.now};
  kid.look();
  CHECK(kid.watch.next_look(kid.now) == kid.now + kid_watch::glance);
  CHECK_FALSE(kid.run(1h));
  kid.kids.begin_generation();
  CHECK_FALSE(kid.run(900ms));
  CHECK(kid.watch.next_look(kid.now) == kid.now + kid_watch::tick);
  CHECK(kid.run(200ms) == order::kill_leaving);
}

TEST_CASE("a kid of an earlier generation that nobody has asked has all the time in the world, and so has one that a stop has asked") {
  watched_kid kid({.drain = 3s});
  kid.kids.begin_generation();
  kid.takes_client();
  CHECK_FALSE(kid.run(1h));
  CHECK(kid.watch.next_look(kid.now) == instant::max());
  kid.kids.mark_asked(0);
  kid.watch.stop();
  CHECK_FALSE(kid.run(1h));
  CHECK(kid.watch.next_look(kid.now) == instant::max());
}

TEST_CASE("time in which the parent did not run is no time to leave in") {
  watched_kid kid({.drain = 3s});
  kid.kids.mark_asked(0);
  kid.look();
  kid.now += 1h;
  CHECK_FALSE(kid.look());
  CHECK_FALSE(kid.run(2s));
  CHECK(kid.run(2s) == order::kill_leaving);
}

TEST_CASE("a stopped kid is killed when its patience is over, not a tick later") {
  watched_kid kid({.soft = waiter::never, .hard = waiter::never});
  kid.kids.mark_stopped(0, true);
  const instant began = kid.now;
  REQUIRE(kid.run(10s) == order::kill_stopped);
  CHECK(kid.now - began == kid_watch::stop_patience);
}

TEST_CASE("from the moment that a kid is seen with a client there is a look each tick, and none while it is idle") {
  watched_kid kid;
  CHECK(kid.watch.next_look(kid.now) == instant::max());
  kid.takes_client();
  CHECK(kid.watch.next_look(kid.now) == kid.now + kid_watch::tick);
  kid.is_idle();
  CHECK(kid.watch.next_look(kid.now) == instant::max());
}
