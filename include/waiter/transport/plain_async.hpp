#ifndef WAITER_TRANSPORT_PLAIN_ASYNC_HPP
#define WAITER_TRANSPORT_PLAIN_ASYNC_HPP

#include <waiter/client/async_client.hpp>
#include <waiter/contract/transport_policy.hpp>
#include <waiter/fwd.hpp>
#include <waiter/options.hpp>
#include <waiter/server/async_transport.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace waiter {

/// A client over plain TCP, one of many in its process.
class async_plain_client final : public async_client<async_plain_client> {
 public:
  explicit async_plain_client(connection&& wire) noexcept : async_client(std::move(wire)) {}

  /// Asio's socket, for what it can do beside reading and writing. Reads and writes on it itself have no deadline. Only while the client
  /// is served: not in on_accept_ok and on_maxforked.
  boost::asio::ip::tcp::socket& socket() noexcept { return *socket_; }
  const boost::asio::ip::tcp::socket& socket() const noexcept { return *socket_; }

  /// Sends what the kernel takes without a wait, and says how much: for hooks that are no coroutines.
  std::size_t send_now(std::string_view text, error_code& error) noexcept {
    error.clear();
    const ssize_t sent = ::send(native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    error.assign(errno, boost::system::system_category());
    return 0;
  }

  /// Half-close: tells the client that nothing more will be sent; reading goes on.
  void shutdown_send(error_code& error) noexcept { ::shutdown(native_handle(), SHUT_WR) == 0 ? error.clear() : error.assign(errno, boost::system::system_category()); }

 private:
  friend class async_client<async_plain_client>;

  void open(const boost::asio::any_io_executor& executor, int fd) {
    socket_.emplace(executor);
    error_code failed;
    if (fd >= 0) socket_->assign(peer().protocol(), fd, failed);
    if (failed) ::close(fd);
  }
  void shut() noexcept { socket_.reset(); }
  boost::asio::ip::tcp::socket& stream() noexcept { return *socket_; }
  void write_cut() noexcept {}

  std::optional<boost::asio::ip::tcp::socket> socket_;
};

/// Carries the bytes as they are, for many clients in each process: hooks that wait are coroutines.
template <>
class async<plain> : public async_transport<async<plain>> {
 public:
  struct options {
    /// So many clients at once in each process; a process that has them takes no other, and is not woken for one. Below 1 means 1.
    int max_clients = 1000;
  };
  using client_type = async_plain_client;

  static constexpr std::string_view name = "async plain";
  static constexpr bool encrypted = false;

  std::optional<std::string> prepare(const options& settings) {
    max_clients(settings.max_clients);
    return std::nullopt;
  }
  client_type welcome(connection&& wire) noexcept { return client_type(std::move(wire)); }

  /// Nothing is to be done before the first byte.
  template <class Done>
  void async_handshake(client_type&, Done&& done) {
    done(std::nullopt);
  }
  template <class Done>
  void async_finish(client_type&, Done&& done) {
    done();
  }
};

static_assert(transport_policy<async<plain>>);

}  // namespace waiter

#endif
