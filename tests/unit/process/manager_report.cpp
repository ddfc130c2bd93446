#include <waiter/process/manager_report.hpp>

#include "support/catch.hpp"

#include <optional>

namespace {

using waiter::census;
using waiter::instant;
using waiter::manager_report;
using news = manager_report::news;
using namespace std::chrono_literals;

constexpr std::optional<news> nothing{};
const instant start = instant{} + 1000s;

}  // namespace

TEST_CASE("that it is ready is told once, and not before it is so") {
  manager_report one;
  CHECK(one.next({}, false, start) == nothing);
  CHECK_FALSE(one.is_ready());
  CHECK(one.next({}, true, start) == news::ready);
  CHECK(one.is_ready());
  CHECK(one.next({}, true, start) == nothing);
  CHECK(one.next({}, false, start + 9s) == nothing);
  one.not_ready();
  CHECK(one.next({}, false, start + 10s) == nothing);
  CHECK(one.next({}, true, start + 11s) == news::ready);
}

TEST_CASE("the watchdog hears of it twice as often as it asks for, ready or not") {
  manager_report one(2000ms);
  CHECK(one.next({}, false, start) == news::watchdog);
  CHECK(one.next({}, false, start) == nothing);
  CHECK(one.next_look() == start + 1s);
  CHECK(one.next({}, false, start + 999ms) == nothing);
  CHECK(one.next({}, false, start + 1s) == news::watchdog);
  // A process that was held up is not made to tell several times.
  CHECK(one.next({}, false, start + 9s) == news::watchdog);
  CHECK(one.next({}, false, start + 9s) == nothing);
  CHECK(one.next_look() == start + 10s);
}

TEST_CASE("the shortest watchdog does not make it look without a pause") {
  manager_report one(1ms);
  CHECK(one.next({}, false, start) == news::watchdog);
  CHECK(one.next_look() == start + 1ms);
}

TEST_CASE("without a watchdog and without kids nobody has to look") {
  manager_report one;
  CHECK(one.next({}, true, start) == news::ready);
  CHECK(one.next({}, true, start) == nothing);
  CHECK(one.next_look() == instant::max());
}

TEST_CASE("how many kids are busy is told when it has changed, and once a second at most") {
  manager_report one;
  CHECK(one.next({0, 4}, true, start) == news::ready);
  CHECK(one.next({0, 4}, true, start) == news::status);
  CHECK(one.next({0, 4}, true, start) == nothing);
  CHECK(one.next({2, 4}, true, start + 500ms) == nothing);
  CHECK(one.next_look() == start + 1500ms);
  CHECK(one.next({3, 4}, true, start + 1500ms) == news::status);
  CHECK(one.next({3, 4}, true, start + 60s) == nothing);
  CHECK(one.next({0, 0}, true, start + 61s) == news::status);
  CHECK(one.next({0, 0}, true, start + 61s) == nothing);
  CHECK(one.next_look() == instant::max());
}

TEST_CASE("who is not ready tells of no kids") {
  manager_report one;
  CHECK(one.next({1, 4}, false, start) == nothing);
}
