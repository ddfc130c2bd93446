#ifndef WAITER_SYSTEM_LISTENER_HPP
#define WAITER_SYSTEM_LISTENER_HPP

#include <waiter/error.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/interruptible.hpp>
#include <waiter/system/socket_timeout.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <optional>
#include <string>

namespace waiter::system {

/// The listening socket. The process that runs the server owns it; preforked kids accept from a copy of it.
///
/// It blocks: a blocking accept(2) is the one wait on a shared socket that wakes a single process, in the order in which they came.
class listener {
 public:
  using endpoint = boost::asio::ip::tcp::endpoint;

  /// Binds and listens. What every client's socket would be told is told to the listening one, from which they inherit it (tcp(7)).
  void open(const endpoint& where, int backlog, milliseconds send_timeout, error_code& error) {
    descriptor socket(::socket(where.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!socket) return fail(error);
    const int fd = socket.get();
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (where.protocol() == boost::asio::ip::tcp::v6()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (send_timeout != never) set_socket_timeout(fd, SO_SNDTIMEO, send_timeout);
    if (::bind(fd, where.data(), static_cast<socklen_t>(where.size())) != 0 || ::listen(fd, backlog) != 0) return fail(error);
    socket_ = std::move(socket);
    send_timeout_ = send_timeout;
    accept_timeout_ = never;
    bound_ = local();
    backlog_ = backlog;
  }

  /// A process that shares the socket can shut it down (shutdown(2)), or set it to O_NONBLOCK: makes it wait for clients again, on the
  /// same port. Who was in its queue is lost. True when something was amiss; the error says why it stays so.
  bool mend(error_code& error) noexcept {
    error.clear();
    const bool hasty = !waits();
    if (hasty) ::fcntl(get(), F_SETFL, 0);
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return fail(error), true;
    if (listens != 0) return hasty;
    // A port that the kernel chose went with the shutdown, though getsockname(2) still tells it; one that was asked for is bound for good.
    if (::bind(get(), bound_.data(), static_cast<socklen_t>(bound_.size())) != 0 && errno != EINVAL) return fail(error), true;
    if (::listen(get(), backlog_) != 0) fail(error);
    return true;
  }

  /// An accept that finds nobody for this long fails with ETIMEDOUT. It holds in every process that shares the socket.
  void accept_timeout(milliseconds limit) noexcept {
    if (limit != accept_timeout_ && set_socket_timeout(get(), SO_RCVTIMEO, limit)) accept_timeout_ = limit;
  }
  milliseconds accept_timeout() const noexcept { return accept_timeout_; }

  /// Waits for a client. Errors: EINTR after a signal, ETIMEDOUT after `accept_timeout`, and what accept(2) says.
  std::optional<accepted> accept(error_code& error) noexcept {
    accepted client;
    auto size = static_cast<socklen_t>(client.peer.capacity());
    const int fd = interruptible(get(), [&]() noexcept { return ::accept4(get(), client.peer.data(), &size, SOCK_CLOEXEC); });
    if (fd < 0) {
      fail(error);
      // With a timeout the kernel says EAGAIN for it; without one, only a socket that does not wait says so.
      if (accept_timeout_ != never && error == boost::system::errc::resource_unavailable_try_again && waits()) error = make_error_code(boost::system::errc::timed_out);
      return std::nullopt;
    }
    error.clear();
    client.socket.reset(fd);
    if (size <= client.peer.capacity()) client.peer.resize(size);
    client.receive_timeout = accept_timeout_;
    client.send_timeout = send_timeout_;
    return client;
  }

  /// From now on an accept that finds nobody fails at once, with EAGAIN, in every process that shares the socket.
  void stop_waiting() noexcept { ::fcntl(get(), F_SETFL, O_NONBLOCK); }
  /// Somebody has called that.
  bool waits() const noexcept { return (::fcntl(get(), F_GETFL) & O_NONBLOCK) == 0; }

  int get() const noexcept { return socket_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  void close() noexcept { socket_.reset(); }

  /// Where it listens, with the port that the kernel chose.
  endpoint local() const noexcept {
    endpoint here;
    auto size = static_cast<socklen_t>(here.capacity());
    if (::getsockname(get(), here.data(), &size) == 0) here.resize(size);
    return here;
  }

 private:
  static void fail(error_code& error) noexcept { error.assign(errno, boost::system::system_category()); }
  static void set(int fd, int level, int name, int value) noexcept { ::setsockopt(fd, level, name, &value, sizeof value); }

  descriptor socket_;
  endpoint bound_;
  int backlog_ = 0;
  milliseconds accept_timeout_ = never;
  milliseconds send_timeout_ = never;
};

}  // namespace waiter::system

#endif
