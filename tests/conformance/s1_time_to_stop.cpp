// Row S1, which is about milliseconds and therefore runs while nothing else does.
#include "conformance/every_hook.hpp"

#include <algorithm>

using namespace conformance;

namespace {

/// From the signal to the line of on_server_close.
milliseconds time_to_stop(const std::string& policy, int number) {
  every_hook server{policy, policy == "prefork" ? flags{"--prefork=2", "--maxfork=2"} : flags{}};
  server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  const stopwatch since;
  server.signal(number);
  server.trace().wait_for({.hook = "on_server_close"});
  const auto taken = since.elapsed();
  CHECK(server.wait() == 0);
  CHECK(server.trace().lines().back().hook == "on_server_close");
  return taken;
}

}  // namespace

TEST_CASE("S1: SIGTERM and SIGINT stop an idle server with 0 in less than 100 ms", "[S1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const int number = GENERATE(SIGTERM, SIGINT);
  CAPTURE(policy, number);
  // The best of many: on a busy machine it is the test that wakes late.
  const deadline end{patience};
  auto best = time_to_stop(policy, number);
  while (best >= 100ms && !end.over()) best = std::min(best, time_to_stop(policy, number));
  CHECK(best < 100ms);
}
