#ifndef WAITER_CLIENT_DEADLINE_HPP
#define WAITER_CLIENT_DEADLINE_HPP

#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>

#include <algorithm>

namespace waiter {

/// Says when a client's read or write must be over: a time for each operation, and a time for the whole client.
///
/// It holds no clock: who waits says what time it is, and gives up at the instant it is told.
class client_deadline {
 public:
  /// Without arguments nothing is ever over.
  constexpr explicit client_deadline(milliseconds io_timeout = never) noexcept { set_io_timeout(io_timeout); }

  /// How long each operation may take. `waiter::never` lifts it; 0 or less: an operation that would have to wait is over at once.
  constexpr void set_io_timeout(milliseconds io_timeout) noexcept { io_timeout_ = std::max(io_timeout, milliseconds::zero()); }
  constexpr milliseconds io_timeout() const noexcept { return io_timeout_; }

  /// Sets the client's whole time, counted from `now`. `waiter::never` lifts it; 0 or less: it is over already.
  constexpr void expires_after(milliseconds time, instant now) noexcept {
    expiry_ = later(now, time);
  }
  /// Brings the end of the client's whole time nearer, if it is not near enough already.
  constexpr void expires_within(milliseconds time, instant now) noexcept { expiry_ = std::min(expiry_, later(now, time)); }
  constexpr void expires_never() noexcept { expiry_ = instant::max(); }
  /// The end of the client's whole time; `instant::max()` without one.
  constexpr instant expiry() const noexcept { return expiry_; }
  constexpr bool has_expiry() const noexcept { return expiry_ != instant::max(); }

  /// When an operation that starts now must be over, whichever deadline comes first; `instant::max()` means never. It may lie in
  /// the past.
  constexpr instant operation_ends(instant now) const noexcept { return std::min(later(now, io_timeout_), expiry_); }

  friend constexpr bool operator==(const client_deadline&, const client_deadline&) = default;

 private:
  milliseconds io_timeout_{};
  instant expiry_ = instant::max();
};

}  // namespace waiter

#endif
