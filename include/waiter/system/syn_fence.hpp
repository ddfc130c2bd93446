#ifndef WAITER_SYSTEM_SYN_FENCE_HPP
#define WAITER_SYSTEM_SYN_FENCE_HPP

#include <waiter/error.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <limits>

#ifdef __linux__
#include <linux/filter.h>
#endif

namespace waiter::system {

/// Lets nobody new in: from now on a listening socket takes no request for a connection, and those that are under way are finished by
/// the kernel. Who asks meanwhile is refused, or asks again a second later, and is then refused or served by somebody else.
///
/// Without it a socket cannot be closed in order: the kernel accepts for the program, so somebody always waits in the queue
/// when it is closed, and is reset. It is a filter on the socket that drops those segments (socket(7), SO_ATTACH_FILTER). Since 2026
/// Linux wants CAP_NET_ADMIN for a filter on a TCP socket; without that the socket is bound to a network interface that does not
/// exist (socket(7), SO_BINDTODEVICE), which needs no privilege since Linux 5.7, and under SYN cookies does not know those who are
/// on the way in. Both hold for all processes that share the socket, and for IPv4 and IPv6. Linux only: elsewhere it fails with
/// ENOTSUP.
inline void raise_syn_fence([[maybe_unused]] int listener, error_code& error) noexcept {
#ifdef __linux__
  // The filter sees the segment from its TCP header on: byte 13 holds the flags (RFC 9293, 3.1), bit 1 is SYN, whatever else is set.
  sock_filter program[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},
      {BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0x02},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  };
  const sock_fprog filter{4, program};
  if (::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return error.clear();
  const int nowhere = std::numeric_limits<int>::max();  // no interface has so high a number, and none is looked for
  if (::setsockopt(listener, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof nowhere) == 0) return error.clear();
  error.assign(errno, boost::system::system_category());
#else
  error.assign(ENOTSUP, boost::system::system_category());
#endif
}

}  // namespace waiter::system

#endif
