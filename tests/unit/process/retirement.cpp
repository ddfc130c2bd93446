#include <waiter/process/retirement.hpp>

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

/// A pool of two, at most 32, whose kids leave after 10 s; born long ago, and heard at 100 s.
struct pool_of_two {
  explicit pool_of_two(std::vector<kid_report> said) : reports(std::move(said)) {
    for (std::size_t slot = 0; slot < reports.size(); ++slot) kids.book(slot, static_cast<pid_t>(100 + slot), at(0s));
  }

  waiter::retirement next(instant now = at(100s)) const {
    return next_retirement(kids, reports, {.prefork = 2, .maxfork = 32, .px_idle = 10s}, now);
  }

  std::vector<kid_report> reports;
  waiter::child_table kids{32};
};

kid_report idle(waiter::milliseconds since) { return {activity::idle, at(since)}; }
kid_report busy(waiter::milliseconds since) { return {activity::busy, at(since)}; }
kid_report starting() { return {activity::starting, at(0s)}; }

}  // namespace

TEST_CASE("who is stopped by a signal is not let go: the pool does without it anyway") {
  waiter::child_table kids(4);
  const auto since = at(0s);
  std::vector<waiter::kid_report> said(3, {waiter::activity::idle, since});
  for (int n = 0; n < 3; ++n) kids.book(static_cast<std::size_t>(n), 100 + n, since);
  kids.mark_stopped(2, true);
  const waiter::pool_limits limits{.prefork = 1, .maxfork = 4, .px_idle = 2s};
  CHECK(waiter::next_retirement(kids, said, limits, at(2s)).leaver == 1u);
}

TEST_CASE("a pool at its base retires nobody, and nobody looks again") {
  for (const auto& pool : {pool_of_two({}), pool_of_two({idle(1s)}), pool_of_two({idle(1s), idle(2s)})}) {
    CHECK_FALSE(pool.next().leaver);
    CHECK(pool.next().look_again == instant::max());
  }
}

TEST_CASE("of those idle for px_idle, the one in the highest slot leaves") {
  CHECK(pool_of_two({idle(1s), idle(1s), idle(1s)}).next().leaver == 2u);
  CHECK(pool_of_two({idle(1s), idle(90s), idle(91s)}).next().leaver == 1u);
  CHECK(pool_of_two({idle(90s), idle(95s), idle(91s)}).next().leaver == 0u);
}

TEST_CASE("px_idle is exact") {
  const pool_of_two pool({idle(95s), idle(94s), idle(96s)});
  CHECK_FALSE(pool.next().leaver);
  CHECK(pool.next().look_again == at(104s));
  CHECK_FALSE(pool.next(at(103999ms)).leaver);
  CHECK(pool.next(at(104s)).leaver == 1u);
}

TEST_CASE("who was asked is no longer counted, so exactly the base is left") {
  pool_of_two pool({idle(1s), idle(1s), idle(1s), idle(1s)});
  CHECK(pool.next().leaver == 3u);
  pool.kids.mark_asked(3);
  CHECK(pool.next().leaver == 2u);
  pool.kids.mark_asked(2);
  CHECK_FALSE(pool.next().leaver);
  CHECK(pool.next().look_again == instant::max());
}

TEST_CASE("busy and starting kids do not leave, and are looked at again, because they will be idle") {
  const pool_of_two pool({starting(), starting(), starting(), busy(1s)});
  CHECK_FALSE(pool.next().leaver);
  CHECK(pool.next().look_again == at(110s));
}

TEST_CASE("nobody leaves while idle kids would be scarce then") {
  const pool_of_two enough({busy(1s), idle(1s), idle(1s), idle(1s)});
  CHECK(enough.next().leaver == 3u);

  const pool_of_two scarce({busy(1s), idle(1s), idle(1s)});
  CHECK_FALSE(scarce.next().leaver);
  CHECK(scarce.next().look_again == at(110s));
}

TEST_CASE("a kid that lies about its idle time is idle since its birth at most, and never from tomorrow on") {
  pool_of_two pool({idle(95s), idle(95s), {activity::idle, instant::min()}});
  pool.kids.release(2);
  pool.kids.book(2, 200, at(97s));
  CHECK_FALSE(pool.next().leaver);
  CHECK(pool.next(at(107s)).leaver == 2u);

  pool.reports[2] = {activity::idle, instant::max()};
  CHECK(pool.next(at(104s)).look_again == at(105s));
}

TEST_CASE("with a px_idle of ever, nobody leaves") {
  const pool_of_two pool({idle(1s), idle(1s), idle(1s)});
  const auto next = next_retirement(pool.kids, pool.reports, {.prefork = 2, .maxfork = 32, .px_idle = waiter::never}, at(100s));
  CHECK_FALSE(next.leaver);
  CHECK(next.look_again == instant::max());
}
