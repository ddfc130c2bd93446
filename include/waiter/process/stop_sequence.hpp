#ifndef WAITER_PROCESS_STOP_SEQUENCE_HPP
#define WAITER_PROCESS_STOP_SEQUENCE_HPP

#include <waiter/process/action.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/instant.hpp>

#include <algorithm>
#include <optional>

namespace waiter {

/// Ask, wait, insist: how all kids are brought to an end. Each is asked once; who is left when the grace time is over, or when
/// somebody is in a hurry, is killed once; who is not even gone 2 s after that, as in an uninterruptible sleep, is abandoned.
class stop_sequence {
 public:
  static constexpr milliseconds last_wait{2000};

  /// \param grace  from being asked to being killed; 0 is at once, `waiter::never` leaves that to `hurry`
  explicit constexpr stop_sequence(milliseconds grace) : grace_(grace) {}

  /// Begins. To stop what is stopping changes nothing.
  constexpr void stop(instant now) {
    if (!kill_at_) kill_at_ = later(now, grace_);
  }

  /// Ends the grace time; begins, if need be.
  constexpr void hurry(instant now) {
    stop(now);
    kill_at_ = std::min(*kill_at_, now);
  }

  constexpr bool stopping() const { return kill_at_.has_value(); }

  /// One step, already marked in `kids`; none before `stop`. A kid that is booked late is asked, and killed, like the others.
  std::optional<action> next(child_table& kids, instant now) {
    if (!stopping()) return std::nullopt;
    if (kids.count() == 0) return action{.kind = action::finished};

    if (const auto slot = kids.find_if([](const auto& kid) { return !kid.asked; })) {
      kids.mark_asked(*slot);
      return action{.kind = action::ask, .slot = *slot, .pid = kids.at(*slot)->pid};
    }
    if (now < *kill_at_) return action{.kind = action::wait, .until = *kill_at_};

    if (const auto slot = kids.find_if([](const auto& kid) { return !kid.killed; })) {
      kids.mark_killed(*slot);
      last_kill_ = now;
      return action{.kind = action::kill, .slot = *slot, .pid = kids.at(*slot)->pid};
    }
    const instant give_up = later(last_kill_, last_wait);
    if (now < give_up) return action{.kind = action::wait, .until = give_up};
    return action{.kind = action::finished};
  }

 private:
  milliseconds grace_;
  std::optional<instant> kill_at_;  // set when stopping
  instant last_kill_{};
};

}  // namespace waiter

#endif
