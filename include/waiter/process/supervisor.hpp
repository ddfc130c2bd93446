#ifndef WAITER_PROCESS_SUPERVISOR_HPP
#define WAITER_PROCESS_SUPERVISOR_HPP

#include <waiter/census.hpp>
#include <waiter/process/action.hpp>
#include <waiter/process/backoff.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/growth.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/kid_report.hpp>
#include <waiter/process/pool_limits.hpp>
#include <waiter/process/retirement.hpp>
#include <waiter/process/stop_sequence.hpp>
#include <waiter/process/succession.hpp>
#include <waiter/process/take_census.hpp>

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

namespace waiter {

/// The mind of a preforking parent: it is told what happened and says what to do, and touches no process itself.
///
/// The loop reports what it learnt (`kid_ended`, `stop`, `hurry`), then calls `next` and does what it says, until that is `wait`
/// or `finished`. After a `fork` it reports `kid_forked` or `fork_failed` before it asks again; `ask` and `kill` are booked when
/// they are given, and need no report. Nothing is remembered that can be seen: what the pool needs is worked out anew from the
/// kids that live and from what they say, so no lost message can leave it short.
class supervisor {
 public:
  /// A kid that is no more. Its slot is vacant now.
  struct ended {
    std::size_t slot;
    bool young;  ///< before its first client, unasked, and not after a quiet wait: something is wrong with its start
  };

  supervisor(const pool_limits& limits, milliseconds grace)
      : limits_(limits),
        kids_(limits.maxfork),
        growth_(limits),
        backoff_(std::max(3, limits.prefork)),
        succession_(limits),
        stop_(grace) {}

  /// \param expires  when another kid should take its place
  void kid_forked(std::size_t slot, pid_t pid, instant now, instant expires = instant::max()) {
    kids_.book(slot, pid, now, expires);
    backoff_.forked(now);
  }

  void fork_failed(instant now) { backoff_.fork_failed(now); }

  /// A kid was waited for; none of ours when the answer is empty.
  /// \param last  what it said of itself in the end
  /// \param served  it has had a client before
  std::optional<ended> kid_ended(pid_t pid, const kid_report& last, bool served, instant now) {
    const auto slot = kids_.find(pid);
    if (!slot) return std::nullopt;
    const child_table::kid kid = *kids_.at(*slot);
    const bool sound = served || is_sound(hear({&last, 1}, 0, kid, now), now);
    const bool young = !sound && !kid.asked;

    kids_.release(*slot);
    if (sound) backoff_.survived(kid.born);
    if (young) backoff_.young_death(kid.born, now);
    return ended{*slot, young};
  }

  /// Somebody has stopped a kid with a signal, or let it continue. The pool does without it meanwhile.
  void kid_stopped(std::size_t slot, bool stopped) { kids_.mark_stopped(slot, stopped); }

  /// All kids were told to leave, by somebody else than this: they are asked, and their end is no sign of trouble.
  void all_were_asked() {
    while (const auto slot = kids_.find_if([](const auto& kid) { return !kid.asked; })) kids_.mark_asked(*slot);
  }

  /// All kids are to be replaced by ones that are forked from now on. While kids of too many earlier generations have not left yet, the
  /// next generation waits for them; all reloads that are asked for meanwhile are answered by that one.
  void reload() { reload_wanted_ = true; }
  /// A reload that was asked for has not begun.
  bool awaits_generation() const { return reload_wanted_; }

  /// Ends the pool in order: everybody is asked, and who stays too long is killed.
  void stop(instant now) { stop_.stop(now); }

  /// Stops without any more patience.
  void hurry(instant now) { stop_.hurry(now); }

  /// The one thing to do now.
  /// \param reports  what the kids say of themselves, by slot; a slot's report is set back to `starting` before a fork into it
  action next(std::span<const kid_report> reports, instant now) {
    if (const auto order = stop_.next(kids_, now)) return *order;

    if (reload_wanted_ && kids_.generations() <= std::max(1, limits_.old_generations)) {
      kids_.begin_generation();
      reload_wanted_ = false;
    }
    const instant proof = weigh_evidence(reports, now);
    const census seen = take_census(kids_, reports);
    const auto due = succession_.look(kids_, reports, growth_.target(seen, now), now);
    awaits_start_ = due.awaits_start;
    if (due.leaver) {
      kids_.mark_replaced(*due.leaver);
      return {.kind = action::ask, .slot = *due.leaver, .pid = kids_.at(*due.leaver)->pid};
    }
    if (seen.kids < due.needed) return grow(due.under_way, now, proof);
    // While somebody is due, who is idle is wanted.
    if (succession_.busy()) return {.kind = action::wait, .until = std::min(due.look_again, growth_.patience_ends())};

    const auto [leaver, look_again] = next_retirement(kids_, reports, limits_, now);
    if (leaver) {
      kids_.mark_asked(*leaver);
      return {.kind = action::ask, .slot = *leaver, .pid = kids_.at(*leaver)->pid};
    }
    return {.kind = action::wait, .until = std::min({look_again, due.look_again, growth_.patience_ends()})};
  }

  const child_table& kids() const { return kids_; }

  bool stopping() const { return stop_.stopping(); }

  /// True when the first word of a kid that starts would be news.
  bool awaits_start() const { return awaits_start_; }

  /// True while kids die so young that forks are rationed.
  bool backing_off() const { return backoff_.open(); }

 private:
  static bool is_sound(const kid_report& said, instant now) {
    return said.state == activity::busy || said.state == activity::open || (said.state == activity::idle && now >= later(said.since, backoff::trial));
  }

  // Forks, as soon as that is allowed. Kids that were asked but still live have a place, too, unless somebody has taken it: where a
  // pool is as large as it may be, replacements need places of their own.
  action grow(int under_way, instant now, instant proof) {
    const bool full = kids_.count() - kids_.replaced() - under_way >= limits_.maxfork;
    if (full || kids_.count() >= limits_.most()) return {.kind = action::wait};
    if (backoff_.may_fork(now)) return {.kind = action::fork, .slot = kids_.vacant_slot()};
    return {.kind = action::wait, .until = std::min(proof, backoff_.next_fork())};
  }

  // Looks whether a kid proves that forking is worth while again; otherwise tells when one might.
  instant weigh_evidence(std::span<const kid_report> reports, instant now) {
    instant proof = instant::max();
    kids_.for_each([&](std::size_t slot, const child_table::kid& kid) {
      if (!backoff_.in_doubt(kid.born)) return;
      const kid_report said = hear(reports, slot, kid, now);
      if (is_sound(said, now))
        backoff_.survived(kid.born);
      else if (said.state == activity::idle)
        proof = std::min(proof, later(said.since, backoff::trial));
    });
    return proof;
  }

  pool_limits limits_;
  child_table kids_;
  growth growth_;
  backoff backoff_;
  succession succession_;
  stop_sequence stop_;
  bool reload_wanted_ = false;
  bool awaits_start_ = false;
};

}  // namespace waiter

#endif
