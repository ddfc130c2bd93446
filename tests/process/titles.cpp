#include <waiter/system/title.hpp>
#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace process_test;

TEST_CASE("a title is what ps shows; the environment stays") {
  ::setenv("WAITER_TEST_TITLE", "kept", 1);
  const auto name = support::title_of(::getpid()).substr(0, support::title_of(::getpid()).find(' '));
  forked kid([](const teller& tell) {
    waiter::system::title title;
    title.remember();
    tell("before ", support::title_of(::getpid()));
    if (!title.take_over()) {
      tell("refused");
      return 0;
    }
    title.idle(0);
    tell("fresh ", support::title_of(::getpid()));
    title.idle(0, -7);
    tell("waiting ", support::title_of(::getpid()));
    title.busy(4'000'000'000);
    tell("busy ", support::title_of(::getpid()));
    title.idle(3, 12);
    tell("idle ", support::title_of(::getpid()));
    title.busy(4);
    tell("next ", support::title_of(::getpid()));
    title.busy(1234, 57);
    tell("many ", support::title_of(::getpid()));
    tell("longest ", [&] {
      title.idle(UINT32_MAX, INT64_MIN);
      return support::title_of(::getpid());
    }());
    tell("environment ", std::getenv("WAITER_TEST_TITLE"));
    return 0;
  });
  REQUIRE(kid.wait() == 0);
  if (kid.count("refused") != 0) WAITER_SKIP("the system lets no process change its title");
  CHECK(kid.wait_for("fresh ") == name + " | -:");
  CHECK(kid.wait_for("waiting ") == name + " | -: [-7]");
  CHECK(kid.wait_for("busy ") == name + " | *:4000000000");
  CHECK(kid.wait_for("idle ") == name + " | -:3 [12]");
  CHECK(kid.wait_for("next ") == name + " | *:4");
  CHECK(kid.wait_for("many ") == name + " | *:1234 (57)");
  CHECK(kid.wait_for("longest ") == name + " | -:4294967295 [-9223372036854775808]");
  CHECK(kid.wait_for("environment ") == "kept");
}

TEST_CASE("a title that was never taken over changes nothing") {
  const auto before = support::title_of(::getpid());
  waiter::system::title title;
  title.remember();
  title.busy(1);
  title.idle(2);
  title.idle(3, 4);
  CHECK(support::title_of(::getpid()) == before);
}
