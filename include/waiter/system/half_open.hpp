#ifndef WAITER_SYSTEM_HALF_OPEN_HPP
#define WAITER_SYSTEM_HALF_OPEN_HPP

#include <waiter/system/descriptor.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#endif

namespace waiter::system {

#ifdef __linux__

/// True while the kernel is in the middle of a handshake with somebody of this family who wants to connect to this port: no place in
/// the queue is his yet (sock_diag(7), state SYN_RECV). False where the system does not tell.
inline bool somebody_half_open(std::uint8_t family, std::uint16_t port) noexcept {
  const descriptor channel(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  struct {
    nlmsghdr head{};
    inet_diag_req_v2 asked{};
  } request;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.asked.sdiag_family = family;
  request.asked.sdiag_protocol = IPPROTO_TCP;
  request.asked.idiag_states = 1U << TCP_SYN_RECV;
  if (!channel || ::send(channel.get(), &request, sizeof request, 0) < 0) return false;

  alignas(nlmsghdr) char answer[16 * 1024];
  for (;;) {
    const ssize_t size = ::recv(channel.get(), answer, sizeof answer, 0);
    if (size <= 0) return false;
    auto left = static_cast<std::size_t>(size);
    for (std::size_t at = 0; left >= sizeof(nlmsghdr);) {
      nlmsghdr head;
      std::memcpy(&head, answer + at, sizeof head);
      if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg)) || head.nlmsg_len > left)
        return false;  // the end, or an error
      inet_diag_msg one;
      std::memcpy(&one, answer + at + NLMSG_HDRLEN, sizeof one);
      if (ntohs(one.id.idiag_sport) == port) return true;
      const std::size_t length = std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), left);
      at += length;
      left -= length;
    }
  }
}

#else

inline bool somebody_half_open(std::uint8_t, std::uint16_t) noexcept { return false; }

#endif

}  // namespace waiter::system

#endif
