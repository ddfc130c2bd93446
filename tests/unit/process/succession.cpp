#include <waiter/process/succession.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using waiter::activity;
using waiter::instant;
using waiter::kid_report;

namespace {

/// A pool of idle kids at rest, with pids 100, 101, … in slots 0, 1, …
struct pool {
  explicit pool(int size, int maxfork = 64) : heirs({.prefork = size, .maxfork = maxfork}), target(size) {
    for (int n = 0; n < size; ++n) add();
  }

  std::size_t add(activity state = activity::idle, instant expires = instant::max()) {
    const auto slot = kids.vacant_slot();
    kids.book(slot, next_pid++, now, expires);
    if (said.size() <= slot) said.resize(slot + 1);
    said[slot] = {state, now};
    return slot;
  }
  void leaves(std::size_t slot) { kids.release(slot); }

  waiter::succession::plan look() { return heirs.look(kids, said, target, now); }

  waiter::succession heirs;
  waiter::child_table kids{8};
  std::vector<kid_report> said;
  int target;
  instant now = at(0s);
  pid_t next_pid = 100;
};

}  // namespace

TEST_CASE("while nobody is due the target stands, and the next one that expires is waited for") {
  pool all(4);
  auto plan = all.look();
  CHECK(plan.needed == 4);
  CHECK(plan.under_way == 0);
  CHECK_FALSE(plan.leaver);
  CHECK_FALSE(plan.awaits_start);
  CHECK(plan.look_again == instant::max());
  CHECK_FALSE(all.heirs.busy());
  all.add(activity::idle, at(10s));
  all.add(activity::idle, at(5s));
  CHECK(all.look().look_again == at(5s));
}

TEST_CASE("a kid is asked only when another one is ready in its stead") {
  pool all(4);
  all.said[2].due = true;
  auto plan = all.look();
  CHECK(plan.needed == 5);
  CHECK_FALSE(plan.leaver);
  CHECK(all.heirs.busy());

  const auto heir = all.add(activity::starting);
  plan = all.look();
  CHECK(plan.needed == 5);
  CHECK(plan.awaits_start);
  CHECK_FALSE(plan.leaver);

  all.said[heir].state = activity::idle;
  plan = all.look();
  REQUIRE(plan.leaver);
  CHECK(*plan.leaver == 2);
  all.kids.mark_replaced(2);
  plan = all.look();
  CHECK(plan.needed == 4);
  CHECK_FALSE(plan.leaver);
  CHECK_FALSE(all.heirs.busy());
}

TEST_CASE("a kid whose time is over is due, from that moment on") {
  pool all(1);
  const auto slot = all.add(activity::idle, at(3s));
  all.target = 2;
  all.now = at(3s) - 1ms;
  CHECK(all.look().needed == 2);
  all.now = at(3s);
  CHECK(all.look().needed == 3);
  all.add();
  CHECK(all.look().leaver == slot);
}

TEST_CASE("however many are due at once, no more than a tenth of the pool is replaced at a time, and at least one") {
  for (const auto& [size, at_once] : {std::pair{1, 1}, {8, 1}, {19, 1}, {20, 2}, {100, 10}}) {
    pool all(size, 1000);
    all.kids.begin_generation();
    const auto plan = all.look();
    CHECK(plan.under_way == at_once);
    CHECK(plan.needed == size + at_once);
  }
}

TEST_CASE("a whole generation is replaced one by one, and the pool never has fewer that are ready") {
  pool all(8);
  all.kids.begin_generation();
  int turns = 0;
  for (; turns < 100; ++turns) {
    const auto plan = all.look();
    int ready = 0;
    all.kids.for_each([&](std::size_t slot, const auto& kid) { ready += !kid.asked && all.said[slot].state != activity::starting; });
    CHECK(ready >= 8);
    if (!all.heirs.busy()) break;
    if (plan.leaver) {
      CHECK(all.kids.outdated(*all.kids.at(*plan.leaver)));
      all.kids.mark_replaced(*plan.leaver);
    } else if (ready < plan.needed) {
      all.add();
    }
  }
  CHECK(turns == 16);
  int fresh = 0;
  all.kids.for_each([&](std::size_t, const auto& kid) { fresh += !kid.asked && !all.kids.outdated(kid); });
  CHECK(fresh == 8);
}

TEST_CASE("of several, who never got ready is asked first, then the oldest generation, then who is idle") {
  pool all(2);  // 0 and 1: the oldest, both busy
  all.said[0].state = all.said[1].state = activity::busy;
  all.kids.begin_generation();
  all.add(activity::busy);      // 2
  all.add(activity::idle);      // 3
  all.add(activity::starting);  // 4: it hangs
  all.target = 5;
  all.kids.begin_generation();
  CHECK_FALSE(all.look().leaver);
  all.now = at(1s);
  std::vector<std::size_t> order;
  for (int n = 0; n < 5; ++n) {
    all.add();
    const auto leaver = all.look().leaver;
    REQUIRE(leaver);
    order.push_back(*leaver);
    all.kids.mark_replaced(*leaver);
  }
  CHECK(order == std::vector<std::size_t>{4, 0, 1, 3, 2});
}

TEST_CASE("a pool that has grown keeps its size while its kids are replaced") {
  pool all(4);
  for (int n = 0; n < 8; ++n) all.add(activity::busy);
  all.kids.begin_generation();
  CHECK(all.look().needed == 13);
  all.add();
  const auto leaver = all.look().leaver;
  REQUIRE(leaver);
  all.kids.mark_replaced(*leaver);
  CHECK(all.look().needed == 13);
  all.target = 16;
  CHECK(all.look().needed == 17);
}

TEST_CASE("a pool that is short of kids is filled before anybody is asked") {
  pool all(4);
  all.leaves(3);
  all.kids.begin_generation();
  CHECK(all.look().needed == 5);
  all.add();
  CHECK_FALSE(all.look().leaver);
  all.add();
  CHECK(all.look().leaver);
}

TEST_CASE("a kid that hangs in its start since before holds nobody up, and one that starts as a replacement is waited for") {
  pool all(4);
  all.said[3].state = activity::starting;
  all.now = at(1s);
  all.said[0].due = true;
  CHECK_FALSE(all.look().leaver);
  const auto heir = all.add(activity::starting);
  all.now = at(1h);
  CHECK_FALSE(all.look().leaver);
  all.said[heir].state = activity::idle;
  CHECK(all.look().leaver == 0u);
}

TEST_CASE("who was asked or is stopped by a signal is not asked, and not counted on") {
  pool all(3);
  all.kids.begin_generation();
  all.kids.mark_stopped(0, true);
  all.kids.mark_asked(1);
  CHECK(all.look().needed == 4);
  all.add();
  all.add();
  CHECK_FALSE(all.look().leaver);
  all.add();
  CHECK(all.look().leaver == 2u);
}

TEST_CASE("in a pool that is larger than it may be, who is due goes without a replacement") {
  pool all(2, 2);
  all.add();  // instead of one that was stopped, and continues
  all.said[0].due = true;
  CHECK(all.look().leaver == 0u);
}
