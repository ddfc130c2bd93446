#ifndef WAITER_SYSTEM_SOCKET_TIMEOUT_HPP
#define WAITER_SYSTEM_SOCKET_TIMEOUT_HPP

#include <waiter/options.hpp>

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>

namespace waiter::system {

/// Sets SO_RCVTIMEO or SO_SNDTIMEO (socket(7)): how long one call on a blocking socket may take; `never` is no limit.
/// False when the descriptor is no socket.
inline bool set_socket_timeout(int fd, int which, milliseconds limit) noexcept {
  timeval value{};  // zero means without limit to the kernel, so a limit of zero is the shortest there is
  if (limit != never) {
    const auto least = std::max(limit, milliseconds(1));
    value.tv_sec = static_cast<time_t>(least.count() / 1000);
    value.tv_usec = static_cast<suseconds_t>(least.count() % 1000 * 1000);
  }
  return ::setsockopt(fd, SOL_SOCKET, which, &value, sizeof value) == 0;
}

/// What stands there now.
inline milliseconds socket_timeout(int fd, int which) noexcept {
  timeval value{};
  socklen_t size = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, which, &value, &size) != 0 || (value.tv_sec == 0 && value.tv_usec == 0)) return never;
  return std::chrono::seconds(value.tv_sec) + std::chrono::ceil<milliseconds>(std::chrono::microseconds(value.tv_usec));
}

}  // namespace waiter::system

#endif
