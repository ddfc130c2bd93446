#ifndef WAITER_CLIENT_CONNECTED_CLIENT_HPP
#define WAITER_CLIENT_CONNECTED_CLIENT_HPP

#include <waiter/client/connection.hpp>
#include <waiter/client/text.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace waiter {

/// What clients of every transport over a socket can do besides reading and writing. A transport's client type derives from
/// `connected_client<itself>` and has the two members that `text_client` asks for.
template <class Derived>
class connected_client : public text_client<Derived> {
 public:
  using endpoint = connection::endpoint;

  /// Who the client is, as accept(2) told; it stays true after the client has gone. A default endpoint for one on a UNIX socket:
  /// who that is, SO_PEERCRED tells (unix(7)).
  const endpoint& peer() const noexcept { return wire_.peer(); }

  /// The address that the client connected to; a default endpoint for a UNIX socket, and once the client is closed.
  endpoint local() const noexcept { return wire_.local(); }

  /// Ends the client's whole time `limit` from now: a read or write that is not done by then fails with `error::timed_out`.
  /// `waiter::never` lifts the limit. It replaces what `options::client_timeout` set.
  template <class Rep, class Period>
  void expires_after(std::chrono::duration<Rep, Period> limit) noexcept {
    // Compared as floating point, since the longest of a coarser unit does not fit into milliseconds.
    const bool endless = std::chrono::duration<double>(limit) >= std::chrono::duration<double>(never);
    expires_after(endless ? never : std::chrono::ceil<milliseconds>(limit));
  }
  void expires_after(milliseconds limit) noexcept {
    wire_.deadline().expires_after(limit, std::chrono::steady_clock::now());
  }
  /// The same, unless its time is over sooner already.
  void expires_within(milliseconds limit) noexcept {
    wire_.deadline().expires_within(limit, std::chrono::steady_clock::now());
  }
  void expires_never() noexcept { wire_.deadline().expires_never(); }

  /// How long one read or write may take, from now on; `waiter::never` lifts the limit. Starts as `options::io_timeout`.
  void io_timeout(milliseconds limit) noexcept { wire_.deadline().set_io_timeout(limit); }
  milliseconds io_timeout() const noexcept { return wire_.deadline().io_timeout(); }

  /// The least rate, in bytes per second, from now on; 0 asks for nothing. Starts as `options::min_rate`.
  void min_rate(std::uint32_t least) noexcept { wire_.min_rate(least); }

  bool is_open() const noexcept { return wire_.is_open(); }

  /// Closes at once and without a farewell: what was written may not arrive. The server closes every client in order by itself.
  void close() noexcept { wire_.close(); }

  /// The client has closed its side, and that was read: nothing is left unread.
  bool at_end() const noexcept { return wire_.at_end(); }

  /// A byte of the client was read.
  bool heard() const noexcept { return wire_.heard(); }

  /// Takes the descriptor out as it stands; who calls owns it. For the server; `release()` is for handlers.
  [[nodiscard]] int take_socket() noexcept { return wire_.take_socket().release(); }

  /// The socket's descriptor, -1 once the client is closed. It stays the client's: it is closed after on_close. It blocks, and has to
  /// be left so; the deadlines of past reads and writes may still stand on it as SO_RCVTIMEO and SO_SNDTIMEO.
  int native_handle() const noexcept { return wire_.native_handle(); }

 protected:
  explicit connected_client(connection&& wire) noexcept : wire_(std::move(wire)) {}
  ~connected_client() = default;

  connection& wire() noexcept { return wire_; }
  const connection& wire() const noexcept { return wire_; }

 private:
  connection wire_;
};

}  // namespace waiter

#endif
