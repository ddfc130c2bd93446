#ifndef WAITER_CLIENT_CONNECTION_HPP
#define WAITER_CLIENT_CONNECTION_HPP

#include <waiter/client/deadline.hpp>
#include <waiter/error.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/pace.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/interruptible.hpp>
#include <waiter/system/safe_point.hpp>
#include <waiter/system/socket_timeout.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace waiter {

/// The bytes under every transport: an accepted socket whose reads and writes keep the client's deadlines, let the hooks of
/// signals run while they wait, and never raise SIGPIPE.
///
/// The socket blocks, and the kernel keeps the time (SO_RCVTIMEO, SO_SNDTIMEO), so an undisturbed read or write is one system call.
class connection {
 public:
  using endpoint = boost::asio::ip::tcp::endpoint;

  /// Owns the socket from now on. `pause` is where the server's signal hooks run.
  connection(system::accepted&& client, milliseconds io_timeout, system::safe_point pause = {}) noexcept
      : socket_(std::move(client.socket)),
        peer_(client.peer),
        pause_(pause),
        receive_timeout_(client.receive_timeout),
        send_timeout_(client.send_timeout) {
    deadline_.set_io_timeout(io_timeout);
  }

  /// Waits for bytes. 0 comes with an error: `asio::error::eof` at the end, `error::timed_out`, or the system's.
  [[gnu::always_inline]] std::size_t receive(void* data, std::size_t size, error_code& error) noexcept {
    const auto got = undisturbed(receive_timeout_, [=, fd = socket_.get()]() noexcept { return ::recv(fd, data, size, 0); });
    if (got > 0) [[likely]] {
      heard_ = true;
      error.clear();
      return static_cast<std::size_t>(got);
    }
    return receive_after(got, data, size, error);
  }

  /// Sends some of the bytes: what fits, or when nothing does, the next that do. 0 comes with an error, unless `size` is 0.
  [[gnu::always_inline]] std::size_t transmit(const void* data, std::size_t size, error_code& error) noexcept {
    const auto sent = undisturbed(send_timeout_, [=, fd = socket_.get()]() noexcept { return send_what_fits(fd, data, size); });
    if (sent >= 0) [[likely]] {
      error.clear();
      return static_cast<std::size_t>(sent);
    }
    return transmit_after(data, size, error);
  }

  /// Asks for a least rate, in bytes per second, from now on; 0 asks for nothing.
  void min_rate(std::uint32_t least) noexcept { pace_ = pace(least); }

  client_deadline& deadline() noexcept { return deadline_; }
  const client_deadline& deadline() const noexcept { return deadline_; }

  const endpoint& peer() const noexcept { return peer_; }

  endpoint local() const noexcept { return local_of(socket_.get()); }
  static endpoint local_of(int socket) noexcept {
    endpoint here;
    auto size = static_cast<socklen_t>(here.capacity());
    if (::getsockname(socket, here.data(), &size) != 0 || here.data()->sa_family == AF_UNIX) return {};
    if (size <= here.capacity()) here.resize(size);
    return here;
  }

  /// Half-close: the client reads to the end of what was sent, and may go on sending (shutdown(2), SHUT_WR).
  void shutdown_send(error_code& error) noexcept {
    if (::shutdown(socket_.get(), SHUT_WR) == 0)
      error.clear();
    else
      error.assign(errno, boost::system::system_category());
  }

  /// True once the client's end of stream was read: nothing can be left unread.
  bool at_end() const noexcept { return at_end_; }

  /// True once a byte of the client was read.
  bool heard() const noexcept { return heard_; }

  bool is_open() const noexcept { return static_cast<bool>(socket_); }
  int native_handle() const noexcept { return socket_.get(); }

  /// Gives the descriptor away, with the deadlines lifted that stood on it.
  system::descriptor release() noexcept {
    adopt_timeout(SO_RCVTIMEO, receive_timeout_, never);
    adopt_timeout(SO_SNDTIMEO, send_timeout_, never);
    return std::move(socket_);
  }

  system::descriptor take_socket() noexcept { return std::move(socket_); }

  void close() noexcept { socket_.reset(); }

 private:
  using clock = std::chrono::steady_clock;

  /// When the kernel wakes a writer, a third of its buffer is free; this fits into it.
  static constexpr std::size_t waited_for_at_once = 4096;

  static ssize_t send_what_fits(int fd, const void* data, std::size_t size) noexcept {
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) [[likely]] return sent;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return sent;
    // A call that waits returns in part when its time is over. So no more than a little is waited for: then a client who has stopped
    // reading is found out by this call, and not by the one after it.
    return ::send(fd, data, std::min(size, waited_for_at_once), MSG_NOSIGNAL);
  }

  // The way of most reads and writes: no limit but the one that stands on the socket already, and no signal. -1 with errno, which is
  // EINTR too when that way is not open.
  template <class Call>
  [[gnu::always_inline]] ssize_t undisturbed(milliseconds standing, Call&& call) noexcept {
    if (is_open() && standing == deadline_.io_timeout() && !deadline_.has_expiry() && !pace_.asks()) [[likely]]
      return system::interruptible(socket_.get(), call);
    errno = EINTR;
    return -1;
  }

  // The other ways, out of line.
  [[gnu::noinline]] std::size_t receive_after(ssize_t first, void* data, std::size_t size, error_code& error) noexcept {
    const auto call = [&]() noexcept { return ::recv(socket_.get(), data, size, 0); };
    const std::size_t got = first == 0 ? (error.clear(), 0) : retry(SO_RCVTIMEO, receive_timeout_, call, error);
    if (got != 0) {
      heard_ = true;
    } else if (!error && size != 0) {
      at_end_ = true;
      error = boost::asio::error::eof;
    }
    return got;
  }
  [[gnu::noinline]] std::size_t transmit_after(const void* data, std::size_t size, error_code& error) noexcept {
    const auto call = [&]() noexcept { return send_what_fits(socket_.get(), data, size); };
    return retry(SO_SNDTIMEO, send_timeout_, call, error);
  }

  // After -1 of `undisturbed`.
  template <class Call>
  std::size_t retry(int which, milliseconds& standing, Call& call, error_code& error) noexcept {
    const int reason = errno;
    if (reason == EINTR) return perform(which, standing, call, error);
    return standing != never && timed_out(reason) ? fail(error, waiter::error::timed_out) : fail(error, reason);
  }

  template <class Call>
  std::size_t perform(int which, milliseconds& standing, Call& call, error_code& error) noexcept {
    error.clear();
    // Without a limit on the client's whole time the kernel's own clock will do, and ours is not asked.
    bool watched = deadline_.has_expiry() || pace_.asks();
    instant began = watched ? clock::now() : instant();
    for (;;) {
      if (!is_open()) return fail(error, waiter::error::not_open);
      const instant ends = watched ? deadline_.operation_ends(began) : instant::max();
      milliseconds left = watched ? remaining(ends) : deadline_.io_timeout();
      if (left <= milliseconds::zero()) {
        if (deadline_.io_timeout() != milliseconds::zero()) return fail(error, waiter::error::timed_out);
        left = milliseconds(1);  // nothing is waited for, but what is there is taken
      }
      const bool too_slow_first = pace_.patience() < left;
      if (too_slow_first && (left = pace_.patience()) <= milliseconds::zero()) return fail(error, waiter::error::too_slow);
      adopt_timeout(which, standing, left);
      const instant asked = pace_.asks() ? clock::now() : instant();
      const ssize_t count = interrupted_call(call);
      const int reason = errno;
      if (pace_.asks())
        pace_.waited(std::chrono::round<milliseconds>(clock::now() - asked), static_cast<std::uint64_t>(std::max<ssize_t>(count, 0)));
      if (count >= 0) return static_cast<std::size_t>(count);
      if (reason == EINTR) {
        // The hooks may have changed the deadline, and from now on time has to be measured across several calls.
        if (!std::exchange(watched, true)) began = clock::now();
      } else if (standing != never && timed_out(reason)) {
        if (too_slow_first) continue;
        if (!watched || clock::now() >= ends) return fail(error, waiter::error::timed_out);
      } else {
        return fail(error, reason);
      }
    }
  }

  // Ends with EINTR only after the hooks of the signals have run.
  template <class Call>
  ssize_t interrupted_call(Call&& call) noexcept {
    const ssize_t count = system::interruptible(socket_.get(), call);
    if (count >= 0 || errno != EINTR) return count;
    if (!pause_.open()) return call();
    pause_();
    errno = EINTR;
    return -1;
  }

  static milliseconds remaining(instant ends) noexcept {
    return ends == instant::max() ? never : std::chrono::ceil<milliseconds>(ends - clock::now());
  }

  // A limit that is a little too long already stands for the right one: it spares a system call for every read of a client
  // whose time runs, and is late by a sixteenth at most.
  void adopt_timeout(int which, milliseconds& standing, milliseconds wanted) noexcept {
    if (standing == wanted) return;
    const bool near = standing != never && wanted != never &&
                      standing - wanted <= wanted / 16 + milliseconds(1) && standing >= wanted / 2;
    if (near && (deadline_.has_expiry() || pace_.asks())) return;
    if (system::set_socket_timeout(socket_.get(), which, wanted)) standing = wanted;
  }

  // What the kernel says when SO_RCVTIMEO or SO_SNDTIMEO is over; without one, only on a socket that does not wait.
  static bool timed_out(int reason) noexcept { return reason == EAGAIN || reason == EWOULDBLOCK; }

  static std::size_t fail(error_code& error, waiter::error reason) noexcept {
    error = reason;
    return 0;
  }
  static std::size_t fail(error_code& error, int reason) noexcept {
    error.assign(reason, boost::system::system_category());
    return 0;
  }

  system::descriptor socket_;
  endpoint peer_;
  client_deadline deadline_;
  pace pace_;
  system::safe_point pause_;
  milliseconds receive_timeout_;
  milliseconds send_timeout_;
  bool at_end_ = false;
  bool heard_ = false;
};

}  // namespace waiter

#endif
