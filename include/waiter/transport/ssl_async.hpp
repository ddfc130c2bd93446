#ifndef WAITER_TRANSPORT_SSL_ASYNC_HPP
#define WAITER_TRANSPORT_SSL_ASYNC_HPP

#include <waiter/client/async_client.hpp>
#include <waiter/client/deadline.hpp>
#include <waiter/contract/transport_policy.hpp>
#include <waiter/error.hpp>
#include <waiter/fwd.hpp>
#include <waiter/options.hpp>
#include <waiter/server/async_transport.hpp>
#include <waiter/transport/ssl_context.hpp>
#include <waiter/transport/ssl_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/ssl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace waiter {

/// A client over TLS, one of many in its process. Its session begins with the handshake, in the process that serves it.
///
/// Bytes that a deadline has cut off in the middle of a record cannot be made good: after a write that has timed out the client is over.
class async_ssl_client final : public async_client<async_ssl_client> {
 public:
  using stream_type = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  async_ssl_client(connection&& wire, boost::asio::ssl::context& context) noexcept : async_client(std::move(wire)), context_(&context) {}

  /// Asio's stream and socket, for what they can do beside reading and writing. Reads and writes on them themselves have no deadline. Only
  /// while the client is served: not in on_accept_ok and on_maxforked.
  stream_type& tls() noexcept { return *stream_; }
  boost::asio::ip::tcp::socket& socket() noexcept { return stream_->next_layer(); }
  const boost::asio::ip::tcp::socket& socket() const noexcept { return stream_->next_layer(); }

  /// OpenSSL's own handle, for what it knows of the peer (certificate, ALPN, cipher); null before the handshake. It stays the client's.
  SSL* native_ssl() const noexcept { return stream_ ? const_cast<stream_type&>(*stream_).native_handle() : nullptr; }

 private:
  friend class async_client<async_ssl_client>;
  friend class async<ssl>;

  void open(const boost::asio::any_io_executor& executor, int fd) {
    stream_.emplace(boost::asio::ip::tcp::socket(executor), *context_);
    error_code failed;
    if (fd >= 0) socket().assign(peer().protocol(), fd, failed);
    if (failed) ::close(fd);
  }
  void shut() noexcept { stream_.reset(); }
  stream_type& stream() noexcept { return *stream_; }
  void write_cut() noexcept { whole_ = false; }

  // `done(nothing)` when the session stands, otherwise with what went wrong.
  template <class Done>
  void shake_hands(milliseconds limit, Done done) {
    const auto before = replace_deadline(client_deadline(never));
    expires_within(limit);
    begin(reads_);
    stream_->async_handshake(boost::asio::ssl::stream_base::server, [this, before, limit, done](error_code error) {
      ended(reads_, error, 0);
      replace_deadline(before);
      whole_ = !error;
      done(why_failed(error, limit));
    });
  }

  static std::optional<std::string> why_failed(const error_code& error, milliseconds limit) {
    if (!error) return std::nullopt;
    if (error == error::timed_out) return "the TLS handshake was not done within " + std::to_string(limit.count()) + " ms";
    if (error == boost::asio::error::eof || error == boost::asio::ssl::error::stream_truncated)
      return "TLS handshake: the client closed the connection";
    return "TLS handshake: " + error.message();
  }

  // close_notify, once; the client's own is not waited for.
  template <class Done>
  void say_goodbye(milliseconds limit, Done done) {
    SSL* const session = native_ssl();
    if (!whole_ || (SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN) != 0) return done();
    SSL_set_shutdown(session, SSL_get_shutdown(session) | SSL_RECEIVED_SHUTDOWN);
    expires_within(limit);
    begin(writes_);
    stream_->async_shutdown([this, done](error_code error) {
      ended(writes_, error, 0);
      done();
    });
  }

  boost::asio::ssl::context* context_;
  std::optional<stream_type> stream_;
  bool whole_ = false;  // a session stands, and no record of it was cut
};

/// Carries the bytes over TLS, for many clients in each process: hooks that wait are coroutines. The context is made before the first
/// fork, so a session that one kid began is resumed by any other; handshakes run in the process that serves.
template <>
class async<ssl> : public async_transport<async<ssl>> {
 public:
  struct options : ssl_options {
    /// So many clients at once in each process; a process that has them takes no other, and is not woken for one. Below 1 means 1.
    int max_clients = 1000;
  };
  using client_type = async_ssl_client;

  static constexpr std::string_view name = "async ssl";
  static constexpr bool encrypted = true;

  /// In the listening process, before the socket: nothing, or one sentence that says what is wrong with the options.
  std::optional<std::string> prepare(const options& settings) {
    max_clients(settings.max_clients);
    handshake_timeout_ = settings.handshake_timeout;
    return context_.make(settings);
  }
  /// The same files, read anew; when that fails, what there is stays in use.
  std::optional<std::string> reload(const options& settings) { return context_.make(settings); }

  client_type welcome(connection&& wire) noexcept { return client_type(std::move(wire), context_.asio()); }

  template <class Done>
  void async_handshake(client_type& client, Done&& done) {
    client.shake_hands(handshake_timeout_, std::forward<Done>(done));
  }
  /// close_notify, so that the client knows that nothing was cut off (RFC 8446, 6.1).
  template <class Done>
  void async_finish(client_type& client, Done&& done) {
    client.say_goodbye(longest_goodbye, std::forward<Done>(done));
  }

 private:
  static constexpr milliseconds longest_goodbye{2000};

  ssl_context context_;
  milliseconds handshake_timeout_{};
};

static_assert(transport_policy<async<ssl>>);

}  // namespace waiter

#endif
