#ifndef WAITER_TESTS_UNIT_PROCESS_SUPERVISOR_DIALOGUE_HPP
#define WAITER_TESTS_UNIT_PROCESS_SUPERVISOR_DIALOGUE_HPP

#include <waiter/process/supervisor.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

/// A supervisor, and a loop that does as it is told, at a time that the test sets. Kids get the pids 100, 101, …
struct dialogue {
  explicit dialogue(waiter::pool_limits limits, waiter::milliseconds grace = std::chrono::seconds(8))
      : parent(limits, grace), reports(64) {}

  /// Does what the supervisor says, up to the next wait, and tells what that was.
  std::vector<waiter::action> run() {
    std::vector<waiter::action> done;
    for (;;) {
      const waiter::action next = parent.next(reports, now);
      done.push_back(next);
      if (next.kind == waiter::action::wait || next.kind == waiter::action::finished) return done;
      if (next.kind == waiter::action::fork) fork(next.slot);
    }
  }

  void fork(std::size_t slot) {
    if (!forks_work) return parent.fork_failed(now);
    reports[slot] = {};
    parent.kid_forked(slot, next_pid++, now);
    if (kids_are_quick) says(slot, waiter::activity::idle);
  }

  /// How many were forked until the next wait.
  int forks() {
    int count = 0;
    for (const waiter::action& each : run()) count += each.kind == waiter::action::fork;
    return count;
  }

  /// Until when the supervisor waits, when it has nothing else to do.
  waiter::instant wait() {
    const waiter::action next = parent.next(reports, now);
    REQUIRE(next.kind == waiter::action::wait);
    return next.until;
  }

  void says(std::size_t slot, waiter::activity state) { reports[slot] = {state, now}; }

  std::optional<waiter::supervisor::ended> ends(pid_t pid, bool served = false) {
    const auto slot = parent.kids().find(pid);
    return parent.kid_ended(pid, slot ? reports[*slot] : waiter::kid_report{}, served, now);
  }

  int kids() const { return parent.kids().count(); }

  waiter::supervisor parent;
  std::vector<waiter::kid_report> reports;
  waiter::instant now = at(waiter::milliseconds(0));
  pid_t next_pid = 100;
  bool forks_work = true;
  bool kids_are_quick = true;
};

#endif
