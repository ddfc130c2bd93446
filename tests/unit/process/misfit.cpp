#include "support/catch.hpp"
#include <waiter/process/misfit.hpp>

#include <string>

using namespace std::chrono_literals;
using waiter::find_capped;
using waiter::find_misfit;
using waiter::find_scarce;
using waiter::limits;
using waiter::never;
using waiter::room;

namespace {

std::string complaint(const limits& all) {
  const auto wrong = find_misfit(all);
  return wrong ? waiter::in_words(*wrong) : "";
}

}  // namespace

TEST_CASE("defaults fit together, and one limit alone contradicts no default") {
  CHECK(complaint({}) == "");
  CHECK(complaint({.handshake_timeout = 1h}) == "");
  CHECK(complaint({.client_timeout = 1ms}) == "");
  CHECK(complaint({.client_timeout = 24h}) == "");
  CHECK(complaint({.soft_limit = 24h}) == "");
  CHECK(complaint({.hard_limit = 1ms}) == "");
  CHECK(complaint({.hard_limit = 24h}) == "");
  CHECK(complaint({.grace = 1ms}) == "");
  CHECK(complaint({.grace = never}) == "");
  CHECK(complaint({.handshake_timeout = never, .grace = 1ms}) == "");
}

TEST_CASE("the whole chain in its order fits together") {
  CHECK(complaint({.handshake_timeout = 1ms, .client_timeout = 2ms, .soft_limit = 3ms, .hard_limit = 4ms, .grace = 5ms}) == "");
}

TEST_CASE("any two limits that are set the wrong way round, or equal, are told with their numbers") {
  const auto two_minutes = 2min;
  CHECK(complaint({.handshake_timeout = two_minutes, .client_timeout = 1min}) ==
        "handshake_timeout < client_timeout does not hold: 120000 ms >= 60000 ms (see docs/options.md)");
  CHECK(complaint({.handshake_timeout = 2s, .soft_limit = 1s})
            .find("handshake_timeout < soft_limit does not hold: 2000 ms >= 1000 ms") == 0);
  CHECK(complaint({.handshake_timeout = 2s, .hard_limit = 2s})
            .find("handshake_timeout < hard_limit does not hold: 2000 ms >= 2000 ms") == 0);
  CHECK(complaint({.handshake_timeout = 2s, .grace = 1s}).find("handshake_timeout < grace does not hold: 2000 ms >= 1000 ms") ==
        0);
  CHECK(
      complaint({.client_timeout = 2s, .soft_limit = 1s}).find("client_timeout < soft_limit does not hold: 2000 ms >= 1000 ms") ==
      0);
  CHECK(
      complaint({.client_timeout = 2s, .hard_limit = 1s}).find("client_timeout < hard_limit does not hold: 2000 ms >= 1000 ms") ==
      0);
  CHECK(complaint({.client_timeout = 2s, .grace = 1s}).find("client_timeout < grace does not hold: 2000 ms >= 1000 ms") == 0);
  CHECK(complaint({.soft_limit = 2s, .hard_limit = 1s}).find("soft_limit < hard_limit does not hold: 2000 ms >= 1000 ms") == 0);
  CHECK(complaint({.soft_limit = 1s, .hard_limit = 1s}).find("soft_limit < hard_limit does not hold: 1000 ms >= 1000 ms") == 0);
  CHECK(complaint({.soft_limit = 2s, .grace = 1s}).find("soft_limit < grace does not hold: 2000 ms >= 1000 ms") == 0);
  CHECK(complaint({.hard_limit = 2s, .grace = 1s}).find("hard_limit < grace does not hold: 2000 ms >= 1000 ms") == 0);
}

TEST_CASE("a grace of 0 is no patience, and contradicts nobody's") { CHECK(complaint({.hard_limit = 1min, .grace = 0ms}) == ""); }

TEST_CASE("a limit of nothing, or less, is told") {
  CHECK(complaint({.handshake_timeout = 0ms}).find("0 < handshake_timeout does not hold: 0 ms >= 0 ms") == 0);
  CHECK(complaint({.client_timeout = 0ms}).find("0 < client_timeout does not hold: 0 ms >= 0 ms") == 0);
  CHECK(complaint({.soft_limit = -1s}).find("0 < soft_limit does not hold: 0 ms >= -1000 ms") == 0);
  CHECK(complaint({.hard_limit = 0ms}).find("0 < hard_limit does not hold: 0 ms >= 0 ms") == 0);
  CHECK(complaint({.grace = -1ms}).find("0 <= grace does not hold: 0 ms > -1 ms") == 0);
}

TEST_CASE("a pool that was asked to be larger than it may be is capped, unless its size is the default") {
  CHECK(waiter::in_words(*find_capped({.prefork = 9, .maxfork = 3})) ==
        "prefork <= maxfork does not hold: 9 > 3 (see docs/options.md)");
  CHECK(find_capped({.prefork = -4, .maxfork = 3})->left == 4);
  CHECK_FALSE(find_capped({.maxfork = 3}));
  CHECK_FALSE(find_capped({.prefork = 3, .maxfork = 3}));
  CHECK_FALSE(find_capped({.prefork = 2000}));
  CHECK_FALSE(find_capped({.prefork = 2000, .maxfork = -1}));
  CHECK_FALSE(find_capped({.prefork = -4}));
}

TEST_CASE("what the system does not give is told with its numbers") {
  CHECK_FALSE(find_scarce({.maxfork = 1000000}, {}));
  CHECK_FALSE(find_scarce({}, {.open_descriptors = 4, .most_descriptors = 10, .most_processes = 1}));
  CHECK(waiter::in_words(*find_scarce({}, {.open_descriptors = 5, .most_descriptors = 10})) ==
        "open descriptors + 6 <= RLIMIT_NOFILE does not hold: 11 > 10 (see docs/options.md)");
  CHECK_FALSE(find_scarce({.maxfork = 100}, {.most_processes = 100}));
  CHECK(waiter::in_words(*find_scarce({.maxfork = 101}, {.most_processes = 100})) ==
        "maxfork <= RLIMIT_NPROC does not hold: 101 > 100 (see docs/options.md)");
}
