#include <waiter/system/longest_backlog.hpp>

#include "support/catch.hpp"

#include <fstream>

TEST_CASE("the longest backlog is what the system says") {
  int told = 0;
  if (!(std::ifstream("/proc/sys/net/core/somaxconn") >> told)) WAITER_SKIP("the system does not say");
  CHECK(waiter::system::longest_backlog() == told);
  CHECK(waiter::system::longest_backlog(7) == told);
}
