#include <waiter/process/wrong_replacement.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using waiter::wrong_replacement;

TEST_CASE("what makes sense together is not complained of") {
  CHECK_FALSE(wrong_replacement(0, waiter::never, 30s, 2));
  CHECK_FALSE(wrong_replacement(1, 1ms, 1ms, 1));
  CHECK_FALSE(wrong_replacement(1000000, waiter::never, waiter::never, 1000));
}

TEST_CASE("what makes none is told with its numbers") {
  const auto told = [](auto... values) { return wrong_replacement(values...).value_or(""); };
  CHECK(told(-1, waiter::never, 30s, 2) == "0 <= max_requests does not hold: 0 > -1 (see docs/options.md)");
  CHECK(told(0, 0ms, 30s, 2) == "0 < max_age does not hold: 0 ms >= 0 ms (see docs/options.md)");
  CHECK(told(0, waiter::never, -5ms, 2) == "0 < drain_limit does not hold: 0 ms >= -5 ms (see docs/options.md)");
  CHECK(told(0, waiter::never, 30s, 0) == "1 <= max_old_generations does not hold: 1 > 0 (see docs/options.md)");
}
