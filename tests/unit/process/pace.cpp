#include "support/catch.hpp"
#include <waiter/process/pace.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

using namespace std::chrono_literals;
using waiter::pace;

TEST_CASE("a pace that asks for nothing waits for ever") {
  pace none;
  CHECK_FALSE(none.asks());
  none.waited(1h, 0);
  CHECK(none.patience() == waiter::never);
}

TEST_CASE("patience is the free wait, and what the bytes have earned") {
  struct row {
    const char* what;
    waiter::milliseconds waited;
    std::uint64_t bytes;
    waiter::milliseconds left;
  };
  const row rows[] = {
      {"at first", 0s, 0, 2s},
      {"a silent client uses up the free wait", 500ms, 0, 1500ms},
      {"and then is too slow", 2s, 0, 0s},
      {"never less than none", 1h, 0, 0s},
      {"a hundred bytes a second keep a client that owes a hundred", 60s, 6000, 2s},
      {"half of that does not", 60s, 3000, 0s},
      {"what came at once is waited for later", 0s, 1000, 12s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    pace client(100);
    client.waited(row.waited, row.bytes);
    CHECK(client.patience() == row.left);
  }
}

TEST_CASE("no number of bytes is too large to be counted") {
  pace client(1);
  client.waited(0s, std::numeric_limits<std::uint64_t>::max());
  CHECK(client.patience() > 24h);
  pace fast(std::numeric_limits<std::uint32_t>::max());
  fast.waited(3s, 1);
  CHECK(fast.patience() == 0s);
}

TEST_CASE("a clock that jumps back gives nothing away") {
  pace client(100);
  client.waited(-1h, 0);
  CHECK(client.patience() == 2s);
}
