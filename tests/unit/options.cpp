#include <waiter/options.hpp>

#include "support/catch.hpp"

#include <chrono>

using waiter::effective_timeout;
using waiter::milliseconds;
using namespace std::chrono_literals;

TEST_CASE("the timeout is 4 s when it is 0, and stays within 1 s and 3600 s") {
  struct row {
    const char* what;
    milliseconds given, used;
  };
  const auto [what, given, used] = GENERATE(values<row>({
      {"none", 0ms, 4s},
      {"negative", -5s, 1s},
      {"too short", 500ms, 1s},
      {"too long", 99999s, 3600s},
      {"the shortest", 1s, 1s},
      {"the longest", 3600s, 3600s},
      {"a part of a second", 1500ms, 1500ms},
      {"never", waiter::never, 3600s},
  }));
  CAPTURE(what);
  CHECK(effective_timeout(given) == used);
}
