#include <waiter/process/wait_status.hpp>

#include "support/catch.hpp"

#include <csignal>

using waiter::describe_wait_status;

namespace {

// How wait(2) packs them on Linux; the macros of <sys/wait.h> only unpack.
constexpr int exited(int code) { return code << 8; }
constexpr int core_dumped = 0x80;

}  // namespace

TEST_CASE("how a process ended is told in words") {
  CHECK(describe_wait_status(exited(0)) == "exited with status 0");
  CHECK(describe_wait_status(exited(3)) == "exited with status 3");
  CHECK(describe_wait_status(exited(255)) == "exited with status 255");
  CHECK(describe_wait_status(SIGSEGV) == "was killed by SIGSEGV");
  CHECK(describe_wait_status(SIGKILL) == "was killed by SIGKILL");
  CHECK(describe_wait_status(SIGSEGV | core_dumped) == "was killed by SIGSEGV (core dumped)");
  CHECK(describe_wait_status(SIGABRT | core_dumped) == "was killed by SIGABRT (core dumped)");
  CHECK(describe_wait_status(34) == "was killed by signal 34");
}

TEST_CASE("a process that did not end is told in words, too") {
  CHECK(describe_wait_status((SIGSTOP << 8) | 0x7f) == "was stopped by SIGSTOP");
  CHECK(describe_wait_status(0xffff) == "was continued");
}

TEST_CASE("every status has some description") {
  for (int status = 0; status <= 0x1ffff; ++status) REQUIRE_FALSE(describe_wait_status(status).empty());
}

TEST_CASE("only status 0 is a good end") {
  CHECK(waiter::ended_well(exited(0)));
  CHECK_FALSE(waiter::ended_well(exited(1)));
  CHECK_FALSE(waiter::ended_well(SIGTERM));
  CHECK(waiter::was_killed(SIGTERM));
  CHECK(waiter::was_killed(SIGSEGV | core_dumped));
  CHECK_FALSE(waiter::was_killed(exited(9)));
}
