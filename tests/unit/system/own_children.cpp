#include <waiter/system/own_children.hpp>

#include "support/catch.hpp"

#include <sys/prctl.h>

#include <optional>

using waiter::system::own_children;

namespace {

constexpr auto no_kid = [](pid_t) { return false; };

pid_t start(int status) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(status);
  return child;
}

/// A process that became a child of this one when its parent ended, as those of process 1 do.
pid_t adopt() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t orphan = start(0);
    ::_exit(::write(told[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(parent, &status, 0) == parent);
  pid_t orphan = 0;
  REQUIRE(::read(told[0], &orphan, sizeof orphan) == sizeof orphan);
  ::close(told[0]);
  ::close(told[1]);
  return orphan;
}

/// Waits until it has ended, and leaves it to be reaped. False: it is no child.
bool has_ended(pid_t pid) {
  siginfo_t seen{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &seen, WEXITED | WNOWAIT) == 0;
}

int status_of(pid_t pid) {
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("children that were there before, and those born during a hook, keep their statuses; an orphan is reaped") {
  const pid_t before = start(7);
  own_children children;
  pid_t during = 0, within = 0;
  {
    const own_children::births hook(children);
    during = start(8);
    const own_children::births hook_in_hook(children);
    within = start(9);
  }
  const pid_t orphan = adopt();
  for (const pid_t one : {before, during, within, orphan}) REQUIRE(has_ended(one));
  children.reap_orphans(no_kid);  // behind three that stay
  CHECK_FALSE(has_ended(orphan));
  CHECK(status_of(before) == 7);
  CHECK(status_of(during) == 8);
  CHECK(status_of(within) == 9);
}

TEST_CASE("an orphan that was born before a hook is one though it is adopted during it") {
  own_children children;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int told[2], leave[2];
  REQUIRE(::pipe(told) == 0);
  REQUIRE(::pipe(leave) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t orphan = start(0);
    char word = 0;
    ::_exit(::write(told[1], &orphan, sizeof orphan) == sizeof orphan && ::read(leave[0], &word, 1) == 1 ? 0 : 1);
  }
  pid_t orphan = 0;
  REQUIRE(::read(told[0], &orphan, sizeof orphan) == sizeof orphan);
  {
    const own_children::births hook(children);
    REQUIRE(::write(leave[1], "l", 1) == 1);
    REQUIRE(status_of(parent) == 0);
  }
  for (const int fd : {told[0], told[1], leave[0], leave[1]}) ::close(fd);
  REQUIRE(has_ended(orphan));
  CHECK_FALSE(children.keeps(orphan));
  children.reap_orphans(no_kid);
  CHECK_FALSE(has_ended(orphan));
}

TEST_CASE("a kid of the server is left to its own") {
  own_children children;
  const pid_t kid = start(5);
  const pid_t orphan = adopt();
  for (const pid_t one : {kid, orphan}) REQUIRE(has_ended(one));
  children.reap_orphans([kid](pid_t pid) { return pid == kid; });
  CHECK_FALSE(has_ended(orphan));
  CHECK(status_of(kid) == 5);
}

TEST_CASE("whom the program has reaped is no longer kept, because the number may come again") {
  own_children children;
  std::optional<own_children::births> hook(std::in_place, children);
  const pid_t child = start(3);
  hook.reset();
  CHECK(children.keeps(child));
  hook.emplace(children);
  CHECK(status_of(child) == 3);
  hook.reset();
  CHECK_FALSE(children.keeps(child));
}
