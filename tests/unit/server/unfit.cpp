#include "support/catch.hpp"
#include <waiter/server/unfit.hpp>
#include <waiter/waiter.hpp>

#include <sys/resource.h>

#include <chrono>

using namespace std::chrono_literals;

namespace {

using options = waiter::basic_options<waiter::prefork, waiter::plain>;

}  // namespace

TEST_CASE("options that fit together, and into this process, are not complained of") {
  CHECK_FALSE(waiter::unfit(options()));
  CHECK_FALSE(waiter::unfit(options{.fork = {.prefork = 9, .maxfork = 3}}));
}

TEST_CASE("options that contradict each other are told, and those that the process has no room for") {
  CHECK(waiter::unfit(options{.fork = {.soft_limit = 2s, .hard_limit = 1s}}).value_or("").find("soft_limit < hard_limit") == 0);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{static_cast<rlim_t>(waiter::system::process_room().open_descriptors + 5), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto wrong = waiter::unfit(options());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(wrong.value_or("").find("open descriptors + 6 <= RLIMIT_NOFILE does not hold: ") == 0);
}
