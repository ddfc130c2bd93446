#include "support/catch.hpp"
#include <waiter/process/wrong_limits.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using waiter::never;
using waiter::wrong_limits;

TEST_CASE("limits that fit together are not complained of") {
  CHECK_FALSE(wrong_limits(never, never));
  CHECK_FALSE(wrong_limits(1s, never));
  CHECK_FALSE(wrong_limits(never, 1s));
  CHECK_FALSE(wrong_limits(999ms, 1s));
}

TEST_CASE("limits that contradict each other are told with the inequality and its numbers") {
  const auto says = [](waiter::milliseconds soft, waiter::milliseconds hard, const std::string& text) {
    const auto wrong = wrong_limits(soft, hard);
    REQUIRE(wrong);
    CAPTURE(*wrong);
    CHECK(wrong->find(text) == 0);
  };
  says(2s, 1s, "soft_limit < hard_limit does not hold: 2000 ms >= 1000 ms");
  says(1s, 1s, "soft_limit < hard_limit does not hold: 1000 ms >= 1000 ms");
  says(0s, 1s, "0 < soft_limit does not hold: soft_limit is 0 ms");
  says(-1s, never, "0 < soft_limit does not hold: soft_limit is -1000 ms");
  says(never, 0s, "0 < hard_limit does not hold: hard_limit is 0 ms");
}
