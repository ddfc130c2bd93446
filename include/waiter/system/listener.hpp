#ifndef WAITER_SYSTEM_LISTENER_HPP
#define WAITER_SYSTEM_LISTENER_HPP

#include <waiter/error.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/interruptible.hpp>
#include <waiter/system/socket_file.hpp>
#include <waiter/system/socket_timeout.hpp>
#include <waiter/system/unix_address.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace waiter::system {

/// Where a socket of TCP is bound; a default endpoint for others.
inline boost::asio::ip::tcp::endpoint local_endpoint(int socket) noexcept {
  boost::asio::ip::tcp::endpoint here;
  auto size = static_cast<socklen_t>(here.capacity());
  if (::getsockname(socket, here.data(), &size) == 0 && size <= here.capacity() && (here.data()->sa_family == AF_INET || here.data()->sa_family == AF_INET6))
    here.resize(size);
  return here;
}

/// A listening socket, of TCP or UNIX. The process that runs the server owns it; preforked kids accept from a copy of it.
///
/// It blocks: a blocking accept(2) is the one wait on a shared socket that wakes a single process, in the order in which they came.
/// Only where a process waits for several of them, `never_wait` makes it fail instead.
class listener {
 public:
  using endpoint = boost::asio::ip::tcp::endpoint;

  listener() = default;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() { close(); }

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
    become(std::move(socket));
    send_timeout_ = send_timeout;
    bound_ = local();
    backlog_ = backlog;
  }

  /// A process that shares the socket can shut it down (shutdown(2)), or set it to O_NONBLOCK: makes it wait for clients again, on the
  /// same port. Who was in its queue is lost. True when something was amiss; the error says why it stays so: a UNIX socket that was
  /// shut stays shut, and one that others go on using is theirs to mend.
  bool mend(error_code& error) noexcept {
    error.clear();
    int listens = 0;
    if (!get(get(), SO_ACCEPTCONN, listens)) return fail(error), true;
    const int wanted = never_waits_ ? O_NONBLOCK : 0;
    const bool meddled = !shared_ && (::fcntl(get(), F_GETFL) & (O_NONBLOCK | no_more)) != wanted;
    if (meddled) ::fcntl(get(), F_SETFL, wanted);
    pollfd shut{get(), POLLRDHUP, 0};
    const bool lost = is_local_ ? ::poll(&shut, 1, 0) != 0 : shared_ && listens == 0;
    if (lost) return error.assign(EINVAL, boost::system::system_category()), true;
    if (listens != 0) return meddled;
    // A port that the kernel chose went with the shutdown, though getsockname(2) still tells it; one that was asked for is bound for good.
    if (::bind(get(), bound_.data(), static_cast<socklen_t>(bound_.size())) != 0 && errno != EINVAL) return fail(error), true;
    if (::listen(get(), backlog_) != 0) fail(error);
    return true;
  }

  /// A UNIX socket at a path, or with '@' in front at an abstract name. `mode` is that of the file, 0 as the umask has it.
  void open_local(const std::string& where, mode_t mode, int backlog, error_code& error) {
    const auto address = unix_address::of(where);
    if (!address) return error.assign(where.size() > unix_address::longest ? ENAMETOOLONG : EINVAL, boost::system::system_category());
    descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail(error);
    error.clear();
    if (!address->is_abstract())
      file_.make(socket.get(), where, mode, backlog, error);
    else if (::bind(socket.get(), address->data(), address->size()) != 0 || ::listen(socket.get(), backlog) != 0)
      fail(error);
    if (error) return;
    become(std::move(socket));
    is_local_ = true;
  }

  /// Takes a socket that listens already, and leaves all but its flags as it is: what others have set on it is theirs.
  /// Errors: ENOTSOCK, EPROTOTYPE when it has no streams, EINVAL when it does not listen, EAFNOSUPPORT when it is neither of TCP nor UNIX.
  void adopt(int socket, error_code& error) {
    int type = 0, listens = 0, wrong = 0;
    if (!get(socket, SO_TYPE, type)) return fail(error);
    error.clear();
    const int family = family_of(socket);
    if (type != SOCK_STREAM)
      wrong = EPROTOTYPE;
    else if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
      wrong = EAFNOSUPPORT;
    else if (!get(socket, SO_ACCEPTCONN, listens) || listens == 0)
      wrong = EINVAL;
    if (wrong != 0) return error.assign(wrong, boost::system::system_category());
    become(descriptor(socket));
    is_local_ = family == AF_UNIX;
    // What is told to the listening one reaches the clients; another process's limits may stand there.
    send_timeout_ = socket_timeout(socket, SO_SNDTIMEO);
    accept_timeout_ = socket_timeout(socket, SO_RCVTIMEO);
    bound_ = local();
    backlog_ = SOMAXCONN;
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~(O_NONBLOCK | no_more));
  }

  /// After `adopt`, of a socket that is to be as if it had been opened here.
  void tell(int backlog, milliseconds send_timeout) noexcept {
    backlog_ = backlog;
    ::listen(get(), backlog);  // one that listens already only changes its queue
    if (!is_local_ && send_timeout != send_timeout_ && set_socket_timeout(get(), SO_SNDTIMEO, send_timeout)) send_timeout_ = send_timeout;
  }

  /// Sets it as it was here, after another process that shared it for a while may have set it otherwise.
  void take_back() noexcept {
    set_socket_timeout(get(), SO_RCVTIMEO, accept_timeout_);
    set_socket_timeout(get(), SO_SNDTIMEO, send_timeout_);
    ::listen(get(), backlog_);
    ::fcntl(get(), F_SETFL, never_waits_ ? O_NONBLOCK : 0);
  }

  /// Another process goes on using the socket: it is closed here, and nothing else is done to it (`shut`).
  void share() noexcept {
    shared_ = true;
    file_.forget();
  }
  bool is_shared() const noexcept { return shared_; }

  /// The descriptor is somebody else's in this process, who keeps it open when the server has ended. A kid's copy is closed.
  void lend() noexcept { lent_by_ = ::getpid(); }

  /// The other way round: nobody else has it any more, so its name, if it has one, goes with it.
  void own() {
    shared_ = false;
    if (const auto here = unix_address::bound_to(get()); here && !here->is_abstract()) file_.adopt(here->text());
  }

  bool is_local() const noexcept { return is_local_; }

  /// An accept that finds nobody for this long fails with ETIMEDOUT. It holds in every process that shares the socket.
  void accept_timeout(milliseconds limit) noexcept {
    if (limit != accept_timeout_ && set_socket_timeout(get(), SO_RCVTIMEO, limit)) accept_timeout_ = limit;
  }
  milliseconds accept_timeout() const noexcept { return accept_timeout_; }

  /// Waits for a client. Errors: EINTR after a signal, ETIMEDOUT after `accept_timeout`, and what accept(2) says.
  std::optional<accepted> accept(error_code& error) noexcept {
    std::optional<accepted> client(std::in_place);
    if (!accept(*client, error)) client.reset();
    return client;
  }
  /// The same, into a place that is there already. False with an error.
  [[gnu::always_inline]] bool accept(accepted& client, error_code& error) noexcept {
    // An endpoint knows its size by its family.
    auto size = static_cast<socklen_t>(client.peer.capacity());
    // Who comes over a UNIX socket has no endpoint.
    sockaddr* const peer = is_local_ ? nullptr : client.peer.data();
    const int fd = interruptible(get(), [&]() noexcept { return ::accept4(get(), peer, peer ? &size : nullptr, SOCK_CLOEXEC); });
    if (fd < 0) [[unlikely]] return not_accepted(error);
    error.clear();
    client.socket.reset(fd);
    if (is_local_) [[unlikely]] return true;  // it inherits no time limits either
    client.receive_timeout = accept_timeout_;
    client.send_timeout = send_timeout_;
    return true;
  }

  /// For those who wait for several sockets: an accept that finds nobody fails at once, with EAGAIN, in all processes that share the socket.
  void never_wait() noexcept {
    never_waits_ = true;
    ::fcntl(get(), F_SETFL, ::fcntl(get(), F_GETFL) | O_NONBLOCK);
  }
  /// Nobody has called that.
  bool blocks() const noexcept { return (::fcntl(get(), F_GETFL) & O_NONBLOCK) == 0; }

  /// The same, because nobody is to come any more.
  void stop_waiting() noexcept { ::fcntl(get(), F_SETFL, O_NONBLOCK | no_more); }
  /// Nobody has called `stop_waiting` in any process that shares the socket.
  bool waits() const noexcept { return (::fcntl(get(), F_GETFL) & no_more) == 0; }

  /// Refuses whoever connects from now on. Those who wait in a UNIX socket's queue stay there; in that of TCP they are reset.
  /// True when that is done.
  bool shut() noexcept { return ::shutdown(get(), SHUT_RD) == 0; }
  /// Takes its name off a UNIX socket, if this process gave it.
  void remove_name() noexcept { file_.remove(); }

  int get() const noexcept { return socket_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

  /// Closes this process's copy; in the process that made it, the name goes too.
  void close() noexcept {
    if (socket_) file_.remove();
    if (lent_by_ == ::getpid())
      static_cast<void>(socket_.release());
    else
      socket_.reset();
  }

  /// Where it listens, with the port that the kernel chose; a default endpoint for a UNIX socket.
  endpoint local() const noexcept { return is_local_ ? endpoint() : local_endpoint(get()); }

  /// The same as text, for people: "127.0.0.1:80", "unix:/run/x.sock", "unix:@x".
  std::string name() const {
    if (!file_.path().empty()) return "unix:" + file_.path();
    if (const auto here = unix_address::bound_to(get())) return "unix:" + here->text();
    std::ostringstream text;
    text << local();
    return text.str();
  }

 private:
  // Flags of the open file are what all processes that share a socket see at once (fcntl(2), F_SETFL), and this one means nothing to
  // a socket.
  static constexpr int no_more = O_APPEND;

  void become(descriptor socket) noexcept {
    socket_ = std::move(socket);
    accept_timeout_ = send_timeout_ = never;
    is_local_ = shared_ = never_waits_ = false;
    lent_by_ = 0;
  }

  static bool get(int socket, int name, int& value) noexcept {
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0;
  }
  static int family_of(int socket) noexcept {
    sockaddr_storage here{};
    socklen_t size = sizeof here;
    return ::getsockname(socket, reinterpret_cast<sockaddr*>(&here), &size) == 0 ? here.ss_family : AF_UNSPEC;
  }
  [[gnu::noinline]] bool not_accepted(error_code& error) const noexcept {
    fail(error);
    // With a timeout the kernel says EAGAIN for it; without one, only a socket that does not wait says so.
    if (accept_timeout_ != never && error == boost::system::errc::resource_unavailable_try_again && blocks())
      error = make_error_code(boost::system::errc::timed_out);
    return false;
  }

  static void fail(error_code& error) noexcept { error.assign(errno, boost::system::system_category()); }
  static void set(int fd, int level, int name, int value) noexcept { ::setsockopt(fd, level, name, &value, sizeof value); }

  descriptor socket_;
  endpoint bound_;
  int backlog_ = 0;
  milliseconds accept_timeout_ = never;
  milliseconds send_timeout_ = never;
  socket_file file_;
  pid_t lent_by_ = 0;
  bool is_local_ = false;
  bool shared_ = false;
  bool never_waits_ = false;
};

}  // namespace waiter::system

#endif
