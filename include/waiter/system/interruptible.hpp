#ifndef WAITER_SYSTEM_INTERRUPTIBLE_HPP
#define WAITER_SYSTEM_INTERRUPTIBLE_HPP

#include <waiter/system/signal_mailbox.hpp>

#include <cerrno>

namespace waiter::system {

/// Makes one blocking call on `descriptor` that a signal ends, at whatever instant it arrives; then it returns -1 with EINTR.
///
/// What the call had already achieved is never thrown away: its value is returned, and the notice stays in the mailbox.
/// Not to be nested, and not to be called while the notices cannot be taken: it returns EINTR at once as long as there are any.
template <class Call>
[[gnu::always_inline]] inline auto interruptible(int descriptor, Call&& call) noexcept {
  mailbox.arm(descriptor);
  decltype(call()) result = -1;
  int reason = EINTR;
  if (!mailbox.any()) [[likely]] {
    result = call();
    if (result < 0) [[unlikely]] reason = errno;
  }
  // The call failed on the descriptor that a handler left in its place, so its own reason means nothing.
  if (mailbox.disarm()) reason = EINTR;
  if (result < 0) [[unlikely]] errno = reason;
  return result;
}

}  // namespace waiter::system

#endif
