#ifndef WAITER_TRANSPORT_PLAIN_HPP
#define WAITER_TRANSPORT_PLAIN_HPP

#include <waiter/client/connected_client.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace waiter {

/// A client over plain TCP.
class plain_client final : public connected_client<plain_client> {
 public:
  explicit plain_client(connection&& wire) noexcept : connected_client(std::move(wire)) {}

  /// Half-close: tells the client that nothing more will be sent; reading goes on.
  void shutdown_send(error_code& error) {
    error = flush_stream();
    if (!error) wire().shutdown_send(error);
  }
  void shutdown_send() {
    error_code error;
    shutdown_send(error);
    if (error) throw system_error(error, "shutdown_send");
  }

  /// Gives the descriptor away: the caller closes it, in this process, and no deadline stands on it any more. Bytes that `read_line`
  /// or the stream have read ahead stay behind: see `buffered()`.
  [[nodiscard]] int release() {
    flush_stream();
    return wire().release().release();
  }

 private:
  friend class text_client<plain_client>;

  [[gnu::always_inline]] std::size_t receive(void* data, std::size_t size, error_code& error) noexcept { return wire().receive(data, size, error); }
  [[gnu::always_inline]] std::size_t transmit(const void* data, std::size_t size, error_code& error) noexcept {
    return wire().transmit(data, size, error);
  }
};

/// Carries the bytes as they are.
class plain {
 public:
  struct options {};
  using client_type = plain_client;

  static constexpr std::string_view name = "plain";
  static constexpr bool encrypted = false;

  std::optional<std::string> prepare(const options&) { return std::nullopt; }
  client_type welcome(connection&& wire) noexcept { return client_type(std::move(wire)); }
  std::optional<std::string> handshake(client_type&) noexcept { return std::nullopt; }
  void finish(client_type& client) { client.flush_stream(); }
};

}  // namespace waiter

#endif
