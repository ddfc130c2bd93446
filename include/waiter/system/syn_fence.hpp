#ifndef WAITER_SYSTEM_SYN_FENCE_HPP
#define WAITER_SYSTEM_SYN_FENCE_HPP

#include <waiter/error.hpp>

#include <sys/socket.h>

#include <cerrno>

#ifdef __linux__
#include <linux/filter.h>
#endif

namespace waiter::system {

/// Lets nobody new in: from now on a listening socket drops every segment that asks for a connection, and those that are under way
/// are finished by the kernel. Who asks meanwhile asks again a second later, and is then refused or served by somebody else.
///
/// Without it a socket cannot be closed in order: the kernel accepts for the program, so somebody always waits in the queue
/// when it is closed, and is reset. It is a filter on the socket (socket(7), SO_ATTACH_FILTER), so it holds for all processes that
/// share it, for IPv4 and IPv6, and needs no privilege. Linux only: elsewhere it fails with ENOTSUP.
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
  error.assign(errno, boost::system::system_category());
#else
  error.assign(ENOTSUP, boost::system::system_category());
#endif
}

}  // namespace waiter::system

#endif
