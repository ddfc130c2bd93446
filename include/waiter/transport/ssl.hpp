#ifndef WAITER_TRANSPORT_SSL_HPP
#define WAITER_TRANSPORT_SSL_HPP

#include <waiter/transport/ssl_client.hpp>
#include <waiter/transport/ssl_context.hpp>
#include <waiter/transport/ssl_options.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace waiter {

/// Carries the bytes over TLS. The context is made before the first fork, so a session that one kid began is resumed by any other
/// (tickets are encrypted with a key that all of them have). The handshake runs in the process that serves the client.
class ssl {
 public:
  using options = ssl_options;
  using client_type = ssl_client;

  static constexpr std::string_view name = "ssl";
  static constexpr bool encrypted = true;

  /// In the listening process, before the socket: nothing, or one sentence that says what is wrong with the options.
  std::optional<std::string> prepare(const options& settings) {
    handshake_timeout_ = settings.handshake_timeout;
    return context_.make(settings);
  }

  /// In the listening process, between clients: reads the files anew. When that fails all stays as it was.
  std::optional<std::string> reload(const options& settings) { return prepare(settings); }

  client_type welcome(connection&& wire) noexcept { return client_type(std::move(wire)); }
  std::optional<std::string> handshake(client_type& client) { return client.handshake(context_.get(), handshake_timeout_); }

  /// close_notify, so that the client knows that nothing was cut off (RFC 8446, 6.1).
  void finish(client_type& client) {
    client.flush_stream();
    client.say_goodbye();
  }

 private:
  ssl_context context_;
  milliseconds handshake_timeout_{};
};

}  // namespace waiter

#endif
