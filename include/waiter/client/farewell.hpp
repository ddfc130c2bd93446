#ifndef WAITER_CLIENT_FAREWELL_HPP
#define WAITER_CLIENT_FAREWELL_HPP

#include <waiter/options.hpp>
#include <waiter/process/silence.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/discard.hpp>
#include <waiter/system/socket_timeout.hpp>

#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>
#include <chrono>

namespace waiter {

/// Half-closes, and looks whether bytes of the client have arrived that nobody read; throws away what it finds.
///
/// To close a socket with unread bytes answers them with a reset, which may overtake what was sent (RFC 1122, 4.2.2.13). The end of the
/// stream goes first, so that bytes which arrive after the look cannot do that: by then the client has been told everything.
inline bool bid_farewell(int socket) noexcept {
  ::shutdown(socket, SHUT_WR);
  return system::discard(socket, MSG_DONTWAIT) > 0;
}

/// The same with a system call less, for a client that is taken to be silent: half-closes only when bytes have arrived. Those that come
/// between this look and close(2) are answered with a reset in the place of the end of the stream.
inline bool bid_farewell_if_it_speaks(int socket) noexcept {
  if (system::discard(socket, MSG_DONTWAIT) <= 0) return false;
  ::shutdown(socket, SHUT_WR);
  return true;
}

/// Whether bytes of a finished client are unread, which a reset would answer; if so, it is half-closed now.
///
/// To be sure, the end of the stream has to go out before the look. That is a system call which clients who never speak need not pay for:
/// where silence is usual, only the look is made. So a client that speaks for the first time in the very moment between that look and the
/// close is answered with a reset behind the last byte, the first one after many silent ones, and not the next.
template <class Client>
[[gnu::always_inline]] inline bool still_speaks(Client& client, silence& habit) noexcept {
  bool heard = true;
  if constexpr (requires { client.heard(); }) heard = client.heard();
  const bool sure = heard || !habit.is_usual();
  const bool unread = sure ? bid_farewell(client.native_handle()) : bid_farewell_if_it_speaks(client.native_handle());
  habit.finished(heard || unread);
  return unread;
}

/// Throws away what a half-closed client still sends until it closes too, or `linger` has passed. Waits for it, and closes.
inline void drain(system::descriptor socket, milliseconds linger) noexcept {
  using clock = std::chrono::steady_clock;
  const auto began = clock::now();
  ssize_t got = 0;
  do {
    const auto left = linger == never ? never : linger - std::chrono::floor<milliseconds>(clock::now() - began);
    if (left <= milliseconds::zero() || !system::set_socket_timeout(socket.get(), SO_RCVTIMEO, left)) return;
    got = system::discard(socket.get(), 0);
    // A signal ends the call in spite of SA_RESTART, because it has a timeout (signal(7)); its hook runs when the kid waits again.
  } while (got > 0 || (got < 0 && errno == EINTR));
}

}  // namespace waiter

#endif
