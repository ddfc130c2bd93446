#include <waiter/process/kid_report.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <array>
#include <chrono>

using namespace std::chrono_literals;
using waiter::activity;
using waiter::hear;
using waiter::kid_report;

namespace {

const waiter::child_table::kid kid{.pid = 100, .born = at(100ms)};

kid_report heard(kid_report said) { return hear(std::array{kid_report{}, said}, 1, kid, at(200ms)); }

}  // namespace

TEST_CASE("a kid is believed within its own life") {
  CHECK(heard({activity::busy, at(150ms)}).state == activity::busy);
  CHECK(heard({activity::busy, at(150ms)}).since == at(150ms));
  CHECK(heard({activity::idle, at(300ms)}).since == at(200ms));
  CHECK(heard({activity::idle, waiter::instant::max()}).since == at(200ms));
  CHECK(heard({activity::idle, at(50ms)}).since == at(100ms));
  CHECK(heard({activity::idle, waiter::instant::min()}).since == at(100ms));
}

TEST_CASE("a kid without a report is starting since its birth") {
  const auto silent = hear({}, 1, kid, at(200ms));
  CHECK(silent.state == activity::starting);
  CHECK(silent.since == at(100ms));
}

TEST_CASE("that a kid is due is heard as it is said") {
  const kid_report said[] = {{activity::idle, at(2s), true}};
  CHECK(hear(said, 0, kid, at(3s)).due);
  CHECK_FALSE(hear(said, 1, kid, at(3s)).due);
}
