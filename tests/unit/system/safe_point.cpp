#include <waiter/system/safe_point.hpp>

#include "support/catch.hpp"

namespace {

struct server {
  int ran = 0;
  bool may = true;
  void run_signal_hooks() { ++ran; }
  bool may_run_signal_hooks() const { return may; }
};

}  // namespace

TEST_CASE("a safe point without a server is closed") { CHECK_FALSE(waiter::system::safe_point().open()); }

TEST_CASE("a safe point runs the hooks of its server, and is closed while that may not run them") {
  server one;
  const waiter::system::safe_point pause(one);
  CHECK(pause.open());
  pause();
  CHECK(one.ran == 1);
  one.may = false;
  CHECK_FALSE(pause.open());
  const auto copy = pause;
  one.may = true;
  copy();
  CHECK(one.ran == 2);
}
