#include <waiter/process/supervisor.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"
#include "unit/process/supervisor_dialogue.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

using namespace std::chrono_literals;
using waiter::action;
using waiter::activity;
using waiter::instant;
using waiter::kid_report;
using waiter::milliseconds;
using waiter::pool_limits;

TEST_CASE("a pool is filled at once, slot by slot, and then nobody wakes the parent") {
  dialogue pool({.prefork = 3, .maxfork = 8});
  const auto done = pool.run();
  REQUIRE(done.size() == 4);
  for (std::size_t slot = 0; slot < 3; ++slot) {
    CHECK(done[slot].kind == action::fork);
    CHECK(done[slot].slot == slot);
  }
  CHECK(done[3].kind == action::wait);
  CHECK(done[3].until == instant::max());
}

TEST_CASE("a pool of one is one kid, however long nobody comes") {
  dialogue pool({.prefork = 1, .maxfork = 1024});
  CHECK(pool.forks() == 1);
  pool.now += 1h;
  CHECK(pool.forks() == 0);
  CHECK(pool.wait() == instant::max());
}

TEST_CASE("a prefork above maxfork is maxfork") {
  dialogue pool({.prefork = 8, .maxfork = 3});
  CHECK(pool.forks() == 3);
  for (std::size_t slot = 0; slot < 3; ++slot) pool.says(slot, activity::busy);
  CHECK(pool.forks() == 0);
  CHECK(pool.wait() == instant::max());
}

TEST_CASE("two kids of at most six grow to four and six as clients come, and no further") {
  dialogue pool({.prefork = 2, .maxfork = 6});
  pool.run();
  pool.says(0, activity::busy);
  pool.says(1, activity::busy);
  CHECK(pool.forks() == 2);
  pool.says(2, activity::busy);
  pool.says(3, activity::busy);
  CHECK(pool.forks() == 2);
  pool.says(4, activity::busy);
  pool.says(5, activity::busy);
  CHECK(pool.forks() == 0);
  CHECK(pool.kids() == 6);
}

TEST_CASE("scarce idle kids are waited for 5 ms, then the pool grows") {
  dialogue pool({.prefork = 2, .maxfork = 6});
  pool.run();
  pool.says(0, activity::busy);
  CHECK(pool.wait() == at(5ms));
  pool.now = at(4ms);
  CHECK(pool.wait() == at(5ms));
  pool.now = at(5ms);
  CHECK(pool.forks() == 2);
}

TEST_CASE("a client that is gone within 5 ms makes no kid") {
  dialogue pool({.prefork = 2, .maxfork = 6});
  pool.run();
  pool.says(0, activity::busy);
  CHECK(pool.wait() == at(5ms));
  pool.now = at(3ms);
  pool.says(0, activity::idle);
  CHECK(pool.wait() == instant::max());
  pool.now = at(5ms);
  CHECK(pool.forks() == 0);
}

TEST_CASE("kids that are starting are as good as idle, so a batch is not forked twice") {
  dialogue pool({.prefork = 2, .maxfork = 32});
  pool.run();
  pool.kids_are_quick = false;
  pool.says(0, activity::busy);
  pool.says(1, activity::busy);
  CHECK(pool.forks() == 2);
  pool.now += 1s;
  CHECK(pool.forks() == 0);
}

TEST_CASE("a kid that is killed at work, or after it, is replaced at once") {
  dialogue pool({.prefork = 2, .maxfork = 2});
  pool.run();
  pool.says(0, activity::busy);
  const auto killed = pool.ends(100);
  REQUIRE(killed);
  CHECK(killed->slot == 0);
  CHECK_FALSE(killed->young);
  CHECK(pool.forks() == 1);

  const auto left = pool.ends(101, true);
  REQUIRE(left);
  CHECK_FALSE(left->young);
  CHECK(pool.forks() == 1);
  CHECK(pool.parent.kids().pids() == std::vector<pid_t>{102, 103});
}

TEST_CASE("a kid dies young before its first client: while it starts, however long that took, or soon after") {
  const auto dies_young = [](activity state, milliseconds age, bool served = false) {
    dialogue pool({.prefork = 1, .maxfork = 1});
    pool.run();
    pool.says(0, state);
    pool.now += age;
    return pool.ends(100, served)->young;
  };
  CHECK(dies_young(activity::starting, 0ms));
  CHECK(dies_young(activity::starting, 1h));
  CHECK(dies_young(activity::idle, 0ms));
  CHECK(dies_young(activity::idle, 999ms));
  CHECK_FALSE(dies_young(activity::idle, 1s));
  CHECK_FALSE(dies_young(activity::idle, 0ms, true));
  CHECK_FALSE(dies_young(activity::busy, 0ms));
}

TEST_CASE("a pid that is not ours, or is no more, changes nothing") {
  dialogue pool({.prefork = 2, .maxfork = 2});
  pool.run();
  CHECK_FALSE(pool.ends(99));
  CHECK_FALSE(pool.ends(0));
  CHECK_FALSE(pool.ends(-1));
  CHECK(pool.ends(100));
  CHECK_FALSE(pool.ends(100));
  CHECK(pool.kids() == 1);
}

TEST_CASE("kids that all die at their start are forked ever more slowly, and never given up") {
  dialogue pool({.prefork = 4, .maxfork = 4});
  pool.kids_are_quick = false;
  const auto forks_until = [&pool](instant end) {
    int forks = 0;
    while (pool.now < end) {
      forks += pool.forks();
      for (const pid_t pid : pool.parent.kids().pids()) CHECK(pool.ends(pid)->young);
      pool.now = std::min(end, pool.run().back().until);
    }
    return forks;
  };
  CHECK(forks_until(at(10ms)) == 4);  // a burst is as many as the pool
  CHECK(pool.parent.backing_off());
  CHECK(forks_until(at(1s)) <= 10);
  CHECK(forks_until(at(10s)) <= 10);
  const int forks = forks_until(at(110s));
  CHECK(forks >= 99);
  CHECK(forks <= 101);
}

TEST_CASE("once a try has waited for a client for 1 s, the pool is full again") {
  dialogue pool({.prefork = 8, .maxfork = 8});
  pool.run();
  for (pid_t pid = 100; pid < 108; ++pid) CHECK(pool.ends(pid)->young);
  pool.now = pool.wait();
  CHECK(pool.now == at(100ms));
  CHECK(pool.forks() == 1);
  pool.now = pool.wait();
  CHECK(pool.now == at(1100ms));
  CHECK(pool.forks() == 7);
  CHECK(pool.wait() == instant::max());
  CHECK_FALSE(pool.parent.backing_off());
}

TEST_CASE("once a try has got a client, the pool is full again") {
  dialogue pool({.prefork = 8, .maxfork = 8});
  pool.run();
  for (pid_t pid = 100; pid < 108; ++pid) pool.ends(pid);
  pool.now = pool.wait();
  CHECK(pool.forks() == 1);
  pool.says(0, activity::busy);
  CHECK(pool.forks() == 7);
}

TEST_CASE("once a try has ended after a client, the pool is full again") {
  dialogue pool({.prefork = 8, .maxfork = 8});
  pool.run();
  for (pid_t pid = 100; pid < 108; ++pid) pool.ends(pid);
  pool.now = pool.wait();
  CHECK(pool.forks() == 1);
  CHECK_FALSE(pool.ends(108, true)->young);
  CHECK(pool.forks() == 8);
}

TEST_CASE("a kid from before the trouble is no proof, so nobody wakes up to look at it") {
  dialogue pool({.prefork = 3, .maxfork = 3});
  pool.run();
  pool.now = at(500ms);
  pool.ends(101);
  pool.ends(102);
  CHECK(pool.forks() == 2);  // 103 and 104
  pool.ends(103);
  CHECK(pool.parent.backing_off());
  pool.now = pool.wait();
  CHECK(pool.now == at(600ms));
  CHECK(pool.forks() == 1);
  pool.ends(105);
  pool.now = pool.wait();
  CHECK(pool.now == at(800ms));
  CHECK(pool.forks() == 1);
  CHECK(pool.wait() == instant::max());

  pool.ends(106);
  CHECK(pool.wait() == at(1200ms));  // not 1000 ms, when 100 has waited for 1 s
  pool.now = at(1200ms);
  CHECK(pool.forks() == 1);
  pool.now = at(1500ms);  // now 104 has
  CHECK(pool.wait() == instant::max());
  CHECK_FALSE(pool.parent.backing_off());
}

TEST_CASE("while forks fail the pool goes on with the kids it has, and is full as soon as they work") {
  dialogue pool({.prefork = 4, .maxfork = 4});
  pool.run();
  pool.now = at(2s);
  pool.forks_work = false;
  pool.ends(100);
  pool.ends(101);
  CHECK(pool.forks() == 1);  // tried, and failed
  CHECK(pool.wait() == at(2100ms));
  pool.now = at(2050ms);
  CHECK(pool.forks() == 0);
  pool.now = at(2100ms);
  CHECK(pool.forks() == 1);
  CHECK(pool.kids() == 2);

  pool.forks_work = true;
  pool.now = pool.wait();
  CHECK(pool.forks() == 2);
  CHECK(pool.wait() == instant::max());
}

TEST_CASE("a grown pool shrinks after px_idle to its base exactly, youngest slots first, each asked once and never killed") {
  dialogue pool({.prefork = 2, .maxfork = 6, .px_idle = 2s});
  pool.run();
  for (std::size_t slot = 0; slot < 2; ++slot) pool.says(slot, activity::busy);
  CHECK(pool.forks() == 2);
  for (std::size_t slot = 0; slot < 2; ++slot) pool.says(slot, activity::idle);
  pool.now = pool.wait();
  CHECK(pool.now == at(2s));

  const auto done = pool.run();
  REQUIRE(done.size() == 3);
  CHECK(done[0].kind == action::ask);
  CHECK(done[0].pid == 103);
  CHECK(done[0].slot == 3);
  CHECK(done[1].kind == action::ask);
  CHECK(done[1].pid == 102);
  CHECK(done[2].until == instant::max());

  pool.now += 1h;  // one got a client just before it was asked, and is still at it
  CHECK_FALSE(pool.ends(103)->young);
  CHECK(pool.wait() == instant::max());
  CHECK(pool.parent.kids().pids() == std::vector<pid_t>{100, 101, 102});
}

TEST_CASE("a pool at its base keeps its kids, though one has served and all were idle for long") {
  dialogue pool({.prefork = 2, .maxfork = 2, .px_idle = 2s});
  pool.run();
  pool.says(0, activity::busy);
  pool.now = at(1s);
  pool.says(0, activity::idle);
  pool.now = at(1h);
  CHECK(pool.wait() == instant::max());
}

TEST_CASE("kids that are leaving hold their places, but are not counted on") {
  dialogue pool({.prefork = 2, .maxfork = 4, .px_idle = 2s});
  pool.run();
  for (std::size_t slot = 0; slot < 2; ++slot) pool.says(slot, activity::busy);
  pool.run();
  for (std::size_t slot = 0; slot < 2; ++slot) pool.says(slot, activity::idle);
  pool.now = at(2s);
  pool.run();  // 102 and 103 are asked, and both have just got a client
  for (std::size_t slot = 0; slot < 4; ++slot) pool.says(slot, activity::busy);
  CHECK(pool.forks() == 0);
  CHECK(pool.wait() == instant::max());
  pool.ends(103, true);
  CHECK(pool.forks() == 1);
  CHECK(pool.kids() == 4);
}

TEST_CASE("a stop asks each kid once, waits for the grace time, kills once, and is finished when all are gone") {
  dialogue pool({.prefork = 2, .maxfork = 6});
  pool.run();
  pool.says(0, activity::busy);
  pool.parent.stop(pool.now);
  auto done = pool.run();
  REQUIRE(done.size() == 3);
  CHECK(done[0].kind == action::ask);
  CHECK(done[1].kind == action::ask);
  CHECK(done[2].kind == action::wait);
  CHECK(done[2].until == at(8s));

  CHECK_FALSE(pool.ends(101)->young);
  CHECK(pool.wait() == at(8s));
  pool.now = at(8s);
  done = pool.run();
  REQUIRE(done.size() == 2);
  CHECK(done[0].kind == action::kill);
  CHECK(done[0].pid == 100);
  CHECK(done[1].until == at(10s));
  pool.ends(100);
  CHECK(pool.run().back().kind == action::finished);
}

TEST_CASE("a stopped pool forks no more, whatever dies") {
  dialogue pool({.prefork = 3, .maxfork = 6});
  pool.run();
  pool.parent.stop(pool.now);
  pool.run();
  pool.ends(100);
  CHECK(pool.forks() == 0);
  CHECK(pool.parent.stopping());
}

TEST_CASE("a stop before the first fork is finished at once") {
  dialogue pool({.prefork = 3, .maxfork = 6});
  pool.parent.stop(pool.now);
  CHECK(pool.run().front().kind == action::finished);
}

TEST_CASE("a hurry kills at once") {
  dialogue pool({.prefork = 1, .maxfork = 1});
  pool.run();
  pool.parent.stop(pool.now);
  pool.run();
  pool.now = at(1s);
  pool.parent.hurry(pool.now);
  const auto done = pool.run();
  CHECK(done[0].kind == action::kill);
  CHECK(done[1].until == at(3s));
  pool.now = at(3s);
  CHECK(pool.run().front().kind == action::finished);
}

TEST_CASE("gossip without sense or without end is no harm") {
  dialogue pool({.prefork = 2, .maxfork = 4, .px_idle = 2s});
  pool.run();
  for (std::size_t slot = 0; slot < 64; ++slot) pool.reports[slot] = {static_cast<activity>(77), instant::max()};
  CHECK(pool.wait() == instant::max());
  for (std::size_t slot = 0; slot < 64; ++slot) pool.reports[slot] = {activity::busy, instant::min()};
  CHECK(pool.forks() == 2);
  CHECK(pool.kids() == 4);
  pool.reports.clear();
  CHECK(pool.forks() == 0);
  CHECK(pool.kids() == 4);
}

TEST_CASE("a pool does without a kid that somebody has stopped, and has it again when it continues") {
  waiter::supervisor pool({.prefork = 2, .maxfork = 8, .px_idle = 10s}, 8s);
  std::vector<kid_report> said(3, {activity::idle, at(0s)});
  using waiter::action;
  pool.kid_forked(0, 100, at(0s));
  pool.kid_forked(1, 101, at(0s));
  CHECK(pool.next(said, at(1s)).kind == action::wait);

  pool.kid_stopped(0, true);
  const auto replacement = pool.next(said, at(1s));
  CHECK(replacement.kind == action::fork);
  CHECK(replacement.slot == 2);
  pool.kid_forked(2, 102, at(1s));
  CHECK(pool.next(said, at(1s)).kind == action::wait);

  // There is one too many now, but it stays until it has been idle for its time.
  pool.kid_stopped(0, false);
  CHECK(pool.next(said, at(2s)).kind == action::wait);
  CHECK(pool.next(said, at(12s)).kind == action::ask);
}

TEST_CASE("kids that somebody told to leave are replaced at once, and their end is no sign of trouble") {
  waiter::supervisor pool({.prefork = 2, .maxfork = 8, .px_idle = 10s}, 8s);
  const std::vector<kid_report> said(4, {activity::idle, at(0s)});
  using waiter::action;
  pool.kid_forked(0, 100, at(0s));
  pool.kid_forked(1, 101, at(0s));
  pool.all_were_asked();
  CHECK(pool.next(said, at(0s)).kind == action::fork);
  const auto ended = pool.kid_ended(100, said[0], false, at(0s));
  REQUIRE(ended);
  CHECK_FALSE(ended->young);
}
