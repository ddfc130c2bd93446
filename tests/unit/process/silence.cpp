#include <waiter/process/silence.hpp>

#include "support/catch.hpp"

#include <random>

using waiter::silence;

namespace {

silence after(int silent) {
  silence one;
  for (int n = 0; n < silent; ++n) one.finished(false);
  return one;
}

}  // namespace

TEST_CASE("silence is usual after so many silent clients in a row, and not before") {
  CHECK_FALSE(silence().is_usual());
  CHECK_FALSE(after(silence::known_after - 1).is_usual());
  CHECK(after(silence::known_after).is_usual());
  CHECK(after(3 * silence::known_after).is_usual());
}

TEST_CASE("one client that speaks ends it, and the count begins anew") {
  auto one = after(5 * silence::known_after);
  one.finished(true);
  for (int n = 1; n < silence::known_after; ++n) {
    CHECK_FALSE(one.is_usual());
    one.finished(false);
  }
  CHECK_FALSE(one.is_usual());
  one.finished(false);
  CHECK(one.is_usual());
}

TEST_CASE("of many clients of every kind, it is usual exactly when none of the last ones spoke") {
  std::mt19937 dice{20};
  silence one;
  int row = 0;
  for (int n = 0; n < 100'000; ++n) {
    const bool spoke = dice() % 60 == 0;
    one.finished(spoke);
    row = spoke ? 0 : row + 1;
    REQUIRE(one.is_usual() == (row >= silence::known_after));
  }
}
