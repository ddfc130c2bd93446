#ifndef WAITER_CLIENT_FAREWELL_HPP
#define WAITER_CLIENT_FAREWELL_HPP

#include <waiter/options.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/discard.hpp>
#include <waiter/system/socket_timeout.hpp>

#include <sys/socket.h>

#include <chrono>

namespace waiter {

/// Bytes of the client have arrived that nobody read. To close now would answer them with a reset, which may overtake what was
/// sent (RFC 1122, 4.2.2.13). Throws away what it finds.
inline bool has_unread(int socket) noexcept { return system::discard(socket, MSG_DONTWAIT) > 0; }

/// Half-closes, and throws away what the client still sends until it closes too, or `linger` has passed. Waits for it.
inline void drain(system::descriptor socket, milliseconds linger) noexcept {
  using clock = std::chrono::steady_clock;
  ::shutdown(socket.get(), SHUT_WR);
  const auto began = clock::now();
  do {
    const auto left = linger == never ? never : linger - std::chrono::floor<milliseconds>(clock::now() - began);
    if (left <= milliseconds::zero() || !system::set_socket_timeout(socket.get(), SO_RCVTIMEO, left)) return;
  } while (system::discard(socket.get(), 0) > 0);
}

}  // namespace waiter

#endif
