#ifndef WAITER_PROCESS_BACKOFF_HPP
#define WAITER_PROCESS_BACKOFF_HPP

#include <waiter/process/instant.hpp>

#include <algorithm>

namespace waiter {

/// When the parent may fork again, after forks that failed and kids that died before their first client.
///
/// At first every fork is free. After a burst of young deaths, without a sound kid among those born meanwhile, forks are tries:
/// at least 100 ms apart, then 200, 400, 800, and at most 1 s, and one at a time. The first kid that proves sound ends that, and
/// all forks are free again. So trouble costs little while it lasts, nobody is locked out for ever, and a pool is full again
/// within seconds. A fork that fails is tried again after 100 ms, and counts as no death.
class backoff {
 public:
  static constexpr milliseconds retry{100};          ///< after a fork that failed
  static constexpr milliseconds first_spacing{100};  ///< between tries, at first
  static constexpr milliseconds last_spacing{1000};  ///< between tries, at last
  static constexpr milliseconds patience{2000};      ///< for a try that neither dies nor proves sound: then comes another
  static constexpr milliseconds trial{1000};         ///< a kid that waited so long for a client is sound, as is one that got one

  /// \param burst  how many young deaths in a row it takes
  explicit constexpr backoff(int burst) : burst_(burst) {}

  constexpr void forked(instant now) {
    last_fork_ = now;
    trying_ = open_;
  }

  /// fork(2) gave EAGAIN or ENOMEM.
  constexpr void fork_failed(instant now) { retry_at_ = later(now, retry); }

  /// A kid died before its first client, and nobody had asked it to leave.
  constexpr void young_death(instant born, instant now) {
    if (deaths_ == 0) trouble_since_ = now;
    if (deaths_ < burst_) ++deaths_;
    if (!open_ && deaths_ >= burst_) {
      open_ = true;
      open_since_ = now;
      spacing_ = first_spacing;
    } else if (open_ && born >= open_since_) {
      trying_ = false;
      spacing_ = std::min(2 * spacing_, last_spacing);
    }
  }

  /// A kid proved sound. Those who were born before the trouble prove nothing about the next one.
  constexpr void survived(instant born) {
    if (!in_doubt(born)) return;
    deaths_ = 0;
    open_ = trying_ = false;
  }

  /// True when it matters whether a kid of this age is sound.
  constexpr bool in_doubt(instant born) const { return deaths_ > 0 && born >= trouble_since_; }

  /// True while forks are tries.
  constexpr bool open() const { return open_; }

  constexpr bool may_fork(instant now) const { return next_fork() <= now; }

  /// From when on the next fork is allowed; in the past when it is allowed now.
  constexpr instant next_fork() const {
    if (!open_) return retry_at_;
    return std::max(retry_at_, later(last_fork_, trying_ ? std::max(patience, spacing_) : spacing_));
  }

 private:
  int burst_;
  int deaths_ = 0;  // in a row
  bool open_ = false;
  bool trying_ = false;  // the last fork was a try, and its outcome is not known
  milliseconds spacing_ = first_spacing;
  instant trouble_since_{};  // while deaths_ > 0
  instant open_since_{};     // while open_
  instant last_fork_ = instant::min();
  instant retry_at_ = instant::min();
};

}  // namespace waiter

#endif
