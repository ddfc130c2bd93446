#include <waiter/process/lifespan.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

using namespace std::chrono_literals;
using waiter::lifespan;
using waiter::lifespans;
using waiter::milliseconds;
using waiter::never;

namespace {

std::vector<lifespan> so_many(lifespans from, int count) {
  std::vector<lifespan> all;
  for (int n = 0; n < count; ++n) all.push_back(from.next());
  return all;
}

}  // namespace

TEST_CASE("a kid without limits lives for ever") {
  for (const lifespans& none : {lifespans(), lifespans(lifespans::limits{})}) {
    CHECK_FALSE(none.counts_clients());
    for (const auto& each : so_many(none, 10)) CHECK(each == lifespan{.clients = 0, .age = never});
  }
  for (const auto& each : so_many(lifespans({.clients = -5}), 10)) CHECK(each.clients == 0);
}

TEST_CASE("without a spread all lives are as long as they may be") {
  for (const auto& each : so_many(lifespans({.clients = 100, .clients_spread = 0, .age = 1h, .age_spread = 0ms}), 10))
    CHECK(each == lifespan{.clients = 100, .age = 1h});
}

TEST_CASE("lives are spread evenly below the limit, however many there are, and by a tenth unless told otherwise") {
  for (const int count : {8, 100, 1000}) {
    auto all = so_many(lifespans({.clients = 100000, .age = 1000s}), count);
    const auto gap = static_cast<std::uint32_t>(3 * 10000 / count);
    std::sort(all.begin(), all.end(), [](const auto& left, const auto& right) { return left.clients < right.clients; });
    CHECK(all.front().clients > 90000);
    CHECK(all.back().clients == 100000);
    for (std::size_t n = 1; n < all.size(); ++n) CHECK(all[n].clients - all[n - 1].clients <= gap);
    for (const auto& each : all) {
      CHECK(each.age > 900s);
      CHECK(each.age <= 1000s);
      // Both fractions are the same one.
      CHECK(each.age / 10 - milliseconds(each.clients) <= 1ms);
    }
  }
}

TEST_CASE("a spread as wide as the limit leaves each kid one client") {
  const auto all = so_many(lifespans({.clients = 10, .clients_spread = 1000, .age = 10ms, .age_spread = never}), 1000);
  const auto [least, most] = std::minmax_element(all.begin(), all.end(), [](auto& left, auto& right) { return left.clients < right.clients; });
  CHECK(least->clients >= 1);
  CHECK(least->clients <= 2);
  CHECK(most->clients == 10);
  for (const auto& each : all) CHECK((each.age >= 0ms && each.age <= 10ms));
}

TEST_CASE("the largest numbers are no trouble") {
  constexpr int most = std::numeric_limits<int>::max();
  for (const auto& each : so_many(lifespans({.clients = most, .clients_spread = most, .age = never - 1ms, .age_spread = never}), 100)) {
    CHECK(each.clients >= 1);
    CHECK(each.clients <= static_cast<std::uint32_t>(most));
    CHECK(each.age >= 0ms);
  }
  static_assert(lifespans({.clients = 7}).next().clients == 7);
}
