#include <waiter/process/door_turn.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

namespace {

using waiter::attendance;
using waiter::door_turn;
using waiter::turn_at_door;

}  // namespace

TEST_CASE("whose turn it is at the door") {
  const struct {
    const char* what;
    int mine, most;
    attendance all;
    door_turn turn;
  } table[] = {
      {"alone, with nobody", 0, 10, {0, 1}, door_turn::take},
      {"alone, with many", 9, 10, {9, 1}, door_turn::take},
      {"alone, and full", 10, 10, {10, 1}, door_turn::full},
      {"more than it may have", 11, 10, {11, 1}, door_turn::full},
      {"the first of all", 0, 10, {0, 4}, door_turn::take},
      {"one, where the others have none", 1, 10, {1, 4}, door_turn::yield},
      {"none, where another has one", 0, 10, {1, 4}, door_turn::take},
      {"as many as the others", 5, 10, {20, 4}, door_turn::take},
      {"one more than the others", 6, 10, {21, 4}, door_turn::yield},
      {"a little more than many others", 104, 1000, {400, 4}, door_turn::take},
      {"much more than many others", 110, 1000, {400, 4}, door_turn::yield},
      {"the others are full, and at no door", 3, 10, {3, 1}, door_turn::take},
      {"nobody is said to be there", 3, 10, {0, 0}, door_turn::take},
      {"more than fits into 32 bits", 2'000'000'000, 2'100'000'000, {8'000'000'000, 4}, door_turn::take},
  };
  for (const auto& row : table) {
    CAPTURE(row.what);
    CHECK(turn_at_door(row.mine, row.most, row.all) == row.turn);
  }
}

TEST_CASE("somebody always takes, unless all are full") {
  std::mt19937 random(7);
  for (int run = 0; run < 10000; ++run) {
    std::array<int, 5> mine{};
    for (auto& one : mine) one = static_cast<int>(random() % 200);
    const attendance all{std::accumulate(mine.begin(), mine.end(), std::int64_t{0}), static_cast<int>(mine.size())};
    CHECK(std::any_of(mine.begin(), mine.end(), [&](int one) { return turn_at_door(one, 1000, all) == door_turn::take; }));
  }
}

TEST_CASE("clients who stay are shared out by the turns alone, in whatever order the processes look") {
  std::mt19937 random(3);
  std::array<int, 4> mine{};
  for (int client = 0; client < 1000; ++client) {
    const attendance all{client, static_cast<int>(mine.size())};
    for (auto at = random() % mine.size();; at = random() % mine.size())
      if (turn_at_door(mine[at], 1000, all) == door_turn::take) {
        ++mine[at];
        break;
      }
  }
  const auto [least, most] = std::minmax_element(mine.begin(), mine.end());
  CHECK(*most * 10 <= *least * 13);
}
