#include <waiter/process/instant.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>

using namespace std::chrono_literals;
using waiter::instant;
using waiter::later;

TEST_CASE("later adds a span, and a negative one is none") {
  STATIC_REQUIRE(later(at(0ms), 250ms) == at(250ms));
  STATIC_REQUIRE(later(at(0ms), 0ms) == at(0ms));
  STATIC_REQUIRE(later(at(0ms), -1ms) == at(0ms));
  STATIC_REQUIRE(later(at(0ms), waiter::milliseconds::min()) == at(0ms));
}

TEST_CASE("later does not go beyond the end of time, nor beyond its beginning") {
  STATIC_REQUIRE(later(at(0ms), waiter::never) == instant::max());
  STATIC_REQUIRE(later(instant::max(), 1ms) == instant::max());
  STATIC_REQUIRE(later(instant::max() - 1s, 2s) == instant::max());
  STATIC_REQUIRE(later(instant::min(), 1s) == instant::min() + 1s);
}
