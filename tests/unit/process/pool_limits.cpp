#include <waiter/process/pool_limits.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <climits>

using namespace std::chrono_literals;
using waiter::effective_maxfork;
using waiter::effective_pool_limits;
using waiter::no_limit;
using waiter::pool_limits;

TEST_CASE("prefork and maxfork as given become prefork and maxfork as used") {
  struct row {
    const char* what;
    int prefork, maxfork;
    pool_limits used;
  };
  const auto [what, prefork, maxfork, used] = GENERATE(values<row>({
      {"neither given", 0, 0, {8, 1024, 31s}},
      {"both given", 2, 6, {2, 6, 31s}},
      {"maxfork below prefork", 8, 3, {8, 3, 31s}},
      {"no limit", 8, -1, {8, no_limit, 31s}},
      {"negative prefork: both counts", -3, 0, {3, 3, 31s}},
      {"negative prefork, but maxfork given", -3, 7, {3, 7, 31s}},
      {"negative prefork, and no limit", -3, -1, {3, no_limit, 31s}},
      {"the most negative", INT_MIN, 0, {INT_MAX, INT_MAX, 31s}},
      {"the most negative, twice", INT_MIN, INT_MIN, {INT_MAX, no_limit, 31s}},
      {"the largest", INT_MAX, INT_MAX, {INT_MAX, INT_MAX, 31s}},
  }));
  CAPTURE(what);
  CHECK(effective_pool_limits(prefork, maxfork, 31s) == used);
}

TEST_CASE("a px_idle below 1 s means 31 s") {
  const auto used = [](waiter::milliseconds given) { return effective_pool_limits(8, 32, given).px_idle; };
  CHECK(used(0s) == 31s);
  CHECK(used(-5s) == 31s);
  CHECK(used(999ms) == 31s);
  CHECK(used(1s) == 1s);
  CHECK(used(40s) == 40s);
  CHECK(used(waiter::never) == waiter::never);
}

TEST_CASE("forking: a maxfork of 0 is 1024, and a negative one is no limit") {
  STATIC_REQUIRE(effective_maxfork(0) == 1024);
  STATIC_REQUIRE(effective_maxfork(1) == 1);
  STATIC_REQUIRE(effective_maxfork(-1) == no_limit);
  STATIC_REQUIRE(effective_maxfork(INT_MIN) == no_limit);
}

TEST_CASE("the base of a pool is prefork, or maxfork if that is less") {
  STATIC_REQUIRE(pool_limits{8, 32, 31s}.base() == 8);
  STATIC_REQUIRE(pool_limits{8, 3, 31s}.base() == 3);
}

TEST_CASE("a tenth of a pool, and one at least, is replaced at once; its kids may be twice there while one half leaves") {
  CHECK(pool_limits{.prefork = 1, .maxfork = 8}.replaced_at_once() == 1);
  CHECK(pool_limits{.prefork = 25, .maxfork = 100}.replaced_at_once() == 2);
  CHECK(pool_limits{.prefork = 25, .maxfork = 10}.replaced_at_once() == 1);
  CHECK(pool_limits{.prefork = 8, .maxfork = 8}.most() == 16);
  CHECK(pool_limits{.prefork = 8, .maxfork = waiter::no_limit}.most() == waiter::no_limit);
}
