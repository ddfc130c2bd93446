#ifndef WAITER_SYSTEM_DISCARD_HPP
#define WAITER_SYSTEM_DISCARD_HPP

#include <sys/socket.h>

namespace waiter::system {

/// Throws away bytes that a client sent; as recv(2) returns: how many, 0 at the end of the stream, -1 on an error.
inline ssize_t discard(int fd, int flags) noexcept {
#ifdef __linux__
  // Linux drops the bytes without copying them (tcp(7), MSG_TRUNC), so one call may take all that is there.
  return ::recv(fd, nullptr, 1 << 20, flags | MSG_TRUNC);
#else
  char scratch[16 * 1024];
  return ::recv(fd, scratch, sizeof scratch, flags);
#endif
}

}  // namespace waiter::system

#endif
