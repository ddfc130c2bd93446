#include <waiter/process/spawn_target.hpp>

#include "support/catch.hpp"

#include <chrono>

using waiter::census;
using waiter::no_limit;
using waiter::pool_limits;
using waiter::scarce;
using waiter::spawn_target;

TEST_CASE("the pool's target") {
  struct row {
    const char* what;
    census now;
    int prefork, maxfork, target;
  };
  const auto [what, now, prefork, maxfork, target] = GENERATE(values<row>({
      {"at the start: the base", {0, 0}, 8, 32, 8},
      {"one is one", {0, 1}, 1, 1024, 1},
      {"at rest: the base", {0, 8}, 8, 32, 8},
      {"grown, and at rest again: the base", {0, 24}, 8, 32, 8},
      {"one busy of eight: enough idle", {1, 8}, 8, 32, 8},
      {"two idle of eight: enough", {6, 8}, 8, 32, 8},
      {"one idle of eight: another batch", {7, 8}, 8, 32, 16},
      {"none idle of eight: another batch", {8, 8}, 8, 32, 16},
      {"four idle of thirty: another batch", {26, 30}, 8, 64, 38},
      {"five idle of thirty: enough", {25, 30}, 8, 64, 8},
      {"ten: one and a tenth are two", {8, 10}, 8, 64, 18},
      {"ten, three idle: enough", {7, 10}, 8, 64, 8},
      {"two, one busy: another two", {1, 2}, 2, 6, 4},
      {"four, all busy: another two", {4, 4}, 2, 6, 6},
      {"six of six: the cap", {6, 6}, 2, 6, 6},
      {"less room than a batch: the cap", {4, 4}, 4, 5, 5},
      {"the cap is below prefork", {3, 3}, 8, 3, 3},
      {"a cap below prefork, nobody busy", {0, 0}, 8, 3, 3},
      {"above the cap (a kid said too much): the cap", {9, 9}, 2, 6, 6},
      {"no limit", {2000, 2000}, 8, no_limit, 2008},
      {"no limit, and no overflow", {no_limit - 1, no_limit - 1}, 8, no_limit, no_limit},
      {"the largest batch", {5, 5}, no_limit, no_limit, no_limit},
  }));
  CAPTURE(what);
  CHECK(spawn_target(now, {.prefork = prefork, .maxfork = maxfork}) == target);
}

TEST_CASE("whatever the kids say, the target is between the base and the cap") {
  for (int prefork = 1; prefork <= 5; ++prefork)
    for (int maxfork = 1; maxfork <= 12; ++maxfork)
      for (int kids = 0; kids <= 12; ++kids)
        for (int busy = 0; busy <= kids; ++busy) {
          const pool_limits limits{.prefork = prefork, .maxfork = maxfork};
          const int target = spawn_target({busy, kids}, limits);
          CAPTURE(prefork, maxfork, kids, busy, target);
          REQUIRE(target >= limits.base());
          REQUIRE(target <= maxfork);
          if (busy == 0) REQUIRE(target == limits.base());
        }
}

TEST_CASE("a pool without a client is never scarce") {
  STATIC_REQUIRE(!scarce({.busy = 0, .kids = 0}));
  STATIC_REQUIRE(!scarce({.busy = 0, .kids = 1}));
  STATIC_REQUIRE(scarce({.busy = 1, .kids = 1}));
  STATIC_REQUIRE(scarce({.busy = 1, .kids = 2}));
  STATIC_REQUIRE(!scarce({.busy = 1, .kids = 3}));
}
