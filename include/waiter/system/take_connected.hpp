#ifndef WAITER_SYSTEM_TAKE_CONNECTED_HPP
#define WAITER_SYSTEM_TAKE_CONNECTED_HPP

#include <waiter/error.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/socket_timeout.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace waiter::system {

/// Takes the client that somebody else has accepted, and with whom this process was started (inetd(8); systemd.socket(5), Accept=yes).
///
/// Such a client often is the standard input, output and error at once: where it is, /dev/null takes its place, so that nothing that
/// the program prints reaches the client, and its connection ends when it is closed. Errors: ENOTSOCK, EPROTOTYPE when it is no stream,
/// ENOTCONN when nobody is connected.
inline std::optional<accepted> take_connected(int client, error_code& error) noexcept {
  const auto fail = [&error]() -> std::optional<accepted> {
    error.assign(errno, boost::system::system_category());
    return std::nullopt;
  };
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(client, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return fail();
  if (type != SOCK_STREAM) return errno = EPROTOTYPE, fail();
  sockaddr_storage peer{};
  size = sizeof peer;
  if (::getpeername(client, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return fail();
  struct stat itself {}, other {};
  if (::fstat(client, &itself) != 0) return fail();

  accepted taken;
  taken.socket.reset(client > STDERR_FILENO ? client : ::fcntl(client, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!taken.socket) return fail();
  const int fd = taken.socket.get();
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  const descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fstat(standard, &other) == 0 && other.st_dev == itself.st_dev && other.st_ino == itself.st_ino) ::dup2(nothing.get(), standard);

  if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) {
    size = static_cast<socklen_t>(taken.peer.capacity());
    if (::getpeername(fd, taken.peer.data(), &size) == 0) taken.peer.resize(size);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  taken.receive_timeout = socket_timeout(fd, SO_RCVTIMEO);
  taken.send_timeout = socket_timeout(fd, SO_SNDTIMEO);
  error.clear();
  return taken;
}

}  // namespace waiter::system

#endif
