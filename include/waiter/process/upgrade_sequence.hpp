#ifndef WAITER_PROCESS_UPGRADE_SEQUENCE_HPP
#define WAITER_PROCESS_UPGRADE_SEQUENCE_HPP

#include <waiter/process/instant.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace waiter {

/// Start, wait until it is ready, give way; or end it, and say why: how a server is succeeded by a new program.
///
/// The loop reports what it learnt, then calls `next` and does what it says until that is `wait`. After `start` it reports `started` or
/// `failed` before it asks again. One program at a time: whoever asks for another one meanwhile is refused. Each request ends in one
/// `give_way`, one `fail` or one `refuse`, within `within` and `last_wait` from the start.
class upgrade_sequence {
 public:
  /// What is left of `within` for a program that can no longer say that it is ready: its end, and so the reason, is on the way.
  static constexpr milliseconds end_is_near{1000};
  /// A program that is not gone so long after it was killed, as in an uninterruptible sleep, is abandoned.
  static constexpr milliseconds last_wait{2000};

  struct action {
    enum verb {
      start,     ///< the new program, beside this server
      kill,      ///< the new program, at once
      give_way,  ///< the new program serves: finish the clients in hand, and leave
      fail,      ///< this server goes on; `reason` says why
      refuse,    ///< the same, for a request during another one
      wait,      ///< for an event, but not beyond `until`
    } kind;
    std::string reason{};            ///< of fail and refuse
    instant until = instant::max();  ///< of wait
  };

  /// \param within  from the start until the program is ready; 0 is at once, `waiter::never` waits for ever
  explicit upgrade_sequence(milliseconds within) : within_(within) {}

  /// Somebody wants an upgrade.
  /// \param obstacle  why there can be none now
  void request(std::optional<std::string> obstacle = std::nullopt) {
    if (obstacle)
      refused_ = std::move(obstacle);
    else if (state_ != state::none)
      refused_ = "an upgrade is under way already";
    else
      state_ = state::requested;
  }

  /// The program runs.
  void started(instant now) {
    state_ = state::starting;
    deadline_ = later(now, within_);
  }

  /// The program says that it is ready. Heard only while it is waited for.
  void ready() {
    if (state_ == state::starting) state_ = state::ready;
  }

  /// The program can never say that it is ready.
  void deaf(instant now) {
    if (state_ != state::starting || deaf_) return;
    deaf_ = true;
    deadline_ = std::min(deadline_, later(now, end_is_near));
  }

  /// The program was not started, or is no more. What is known already, as that it was killed for being late, is the better reason.
  void failed(std::string reason) {
    if (state_ == state::none || state_ == state::gave_way) return;
    if (reason_.empty()) reason_ = std::move(reason);
    state_ = state::failed;
  }

  /// The server stops, so nobody is to succeed it.
  void stop() {
    if (state_ == state::requested) return failed(stops);
    if (state_ == state::starting || state_ == state::ready) doom(stops);
  }

  /// The one thing to do now.
  action next(instant now) {
    if (refused_) return {.kind = action::refuse, .reason = *std::exchange(refused_, std::nullopt)};
    if (state_ == state::starting && now >= deadline_) doom(deaf_ ? "it closed its channel without being ready" : "it was not ready in time");
    switch (state_) {
      case state::requested: return {.kind = action::start};
      case state::starting: return {.kind = action::wait, .until = deadline_};
      case state::ready: state_ = state::gave_way; return {.kind = action::give_way};
      case state::doomed:
        state_ = state::killed;
        deadline_ = later(now, last_wait);
        return {.kind = action::kill};
      case state::killed:
        if (now < deadline_) return {.kind = action::wait, .until = deadline_};
        [[fallthrough]];
      case state::failed: {
        action failure{.kind = action::fail, .reason = std::move(reason_)};
        *this = upgrade_sequence(within_);
        return failure;
      }
      case state::none:
      case state::gave_way: break;
    }
    return {.kind = action::wait};
  }

  /// There is something to do, or to wait for.
  bool busy() const { return refused_ || (state_ != state::none && state_ != state::gave_way); }

 private:
  static constexpr const char* stops = "the server stops";

  enum class state { none, requested, starting, ready, doomed, killed, failed, gave_way };

  void doom(const char* reason) {
    reason_ = reason;
    state_ = state::doomed;
  }

  milliseconds within_;
  state state_ = state::none;
  bool deaf_ = false;
  instant deadline_{};  // of the program's being ready, or of its end
  std::string reason_;
  std::optional<std::string> refused_;
};

}  // namespace waiter

#endif
