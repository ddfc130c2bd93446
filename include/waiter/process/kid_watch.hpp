#ifndef WAITER_PROCESS_KID_WATCH_HPP
#define WAITER_PROCESS_KID_WATCH_HPP

#include <waiter/options.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/kid_report.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace waiter {

/// Finds the kids that take too long: over their client, to leave when they were asked to, or because somebody has stopped them (SIGSTOP).
///
/// Only time in which the parent itself ran is counted: each look adds what has passed since the last one, but never more than a
/// little over a tick. So a machine that was suspended, a process group that was stopped, or a parent that got no processor,
/// makes nobody late. While anything is timed the parent has to look once a tick.
class kid_watch {
 public:
  static constexpr milliseconds tick{25};
  /// So long a stopped kid may stay so: it would hold a place, and perhaps a client, for ever.
  static constexpr milliseconds stop_patience{500};
  /// How often it is looked whether a kid that was asked to leave is done with its client.
  static constexpr milliseconds glance{1000};

  struct limits {
    milliseconds soft = never;  ///< for a client, until the kid is reminded
    milliseconds hard = never;  ///< for a client, until the kid is killed
    /// To leave, once asked: of an earlier generation with its client, of the last one as long as it has none.
    milliseconds drain = never;
  };

  struct order {
    enum verb { remind, kill_late, kill_stopped, kill_leaving } kind;
    std::size_t slot;
    pid_t pid;
  };

  kid_watch() = default;
  explicit kid_watch(const limits& given) : limits_(given) {}

  /// The slot's next kid has a time of its own.
  void kid_gone(std::size_t slot) { at(slot) = {}; }

  /// All are asked to leave by now, and that is somebody else's affair.
  void stop() { limits_.drain = never; }

  /// The next thing to do, one at a time; each is given once. To be called until there is none.
  std::optional<order> look(const child_table& kids, std::span<const kid_report> reports, instant now) {
    const auto passed = std::min(std::chrono::floor<milliseconds>(now - last_look_), 2 * tick);
    last_look_ += std::chrono::floor<milliseconds>(now - last_look_);
    timing_ = glancing_ = false;
    std::optional<order> found;
    kids.for_each([&](std::size_t slot, const child_table::kid& kid) {
      auto due = advance(at(slot), kid.stopped, hear(reports, slot, kid, now), passed);
      if (!due && kid.asked) due = advance_leaving(at(slot), kids.outdated(kid), hear(reports, slot, kid, now), passed);
      if (due && !found) found = order{*due, slot, kid.pid};
      if (found && found->slot == slot) obeyed(slot, found->kind);
    });
    return found;
  }

  /// When to look again; `instant::max()` when nothing is timed.
  instant next_look(instant now) const {
    if (timing_) return now + tick;
    return glancing_ ? now + glance : instant::max();
  }

  /// Nothing is timed, but the next client will be: then there has to be a look when it comes.
  bool awaits_client() const { return limited() && !timing_; }

 private:
  struct watched {
    instant since{};  // tells one client of the kid from another
    milliseconds spent{};
    milliseconds stopped_for{};
    milliseconds leaving_for{};
    bool reminded = false;
    bool killed = false;
  };

  bool limited() const { return limits_.soft != never || limits_.hard != never; }

  watched& at(std::size_t slot) {
    if (slot >= watched_.size()) watched_.resize(slot + 1);
    return watched_[slot];
  }

  std::optional<order::verb> advance(watched& one, bool stopped, const kid_report& said, milliseconds passed) {
    if (one.killed) return std::nullopt;
    one.stopped_for = stopped ? one.stopped_for + passed : milliseconds();
    if (one.stopped_for >= stop_patience) return order::kill_stopped;
    timing_ = timing_ || stopped;
    if (!limited()) return std::nullopt;
    if (said.state != activity::busy || said.since != one.since) {
      one.since = said.since;
      one.spent = {};
      one.reminded = false;
      timing_ = timing_ || said.state == activity::busy;
      return std::nullopt;
    }
    timing_ = true;
    one.spent += passed;
    if (one.spent >= limits_.hard) return order::kill_late;
    if (one.spent >= limits_.soft && !one.reminded) return order::remind;
    return std::nullopt;
  }

  std::optional<order::verb> advance_leaving(watched& one, bool outdated, const kid_report& said, milliseconds passed) {
    if (one.killed || limits_.drain == never) return std::nullopt;
    // A client that it took in the last moment is served; nobody tells when that is over.
    const bool has_client = said.state == activity::busy || said.state == activity::open;
    if (has_client && !outdated) {
      glancing_ = true;
      return std::nullopt;
    }
    timing_ = true;
    one.leaving_for += passed;
    return one.leaving_for >= limits_.drain ? std::optional(order::kill_leaving) : std::nullopt;
  }

  void obeyed(std::size_t slot, order::verb kind) {
    if (kind == order::remind)
      watched_[slot].reminded = true;
    else
      watched_[slot].killed = true;
  }

  limits limits_{};
  std::vector<watched> watched_;
  instant last_look_{};
  bool timing_ = false;    // somebody, so that there has to be a look each tick
  bool glancing_ = false;  // nobody, but somebody may be so without a word
};

}  // namespace waiter

#endif
