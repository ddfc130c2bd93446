#ifndef WAITER_TRANSPORT_SSL_CLIENT_HPP
#define WAITER_TRANSPORT_SSL_CLIENT_HPP

#include <waiter/client/connected_client.hpp>
#include <waiter/transport/ssl_error_text.hpp>
#include <waiter/transport/ssl_wire.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace waiter {

/// A client over TLS. Its session begins with the handshake, in the process that serves it; before that (in on_accept_ok and
/// on_maxforked) reads and writes fail with `error::handshake_not_run`. Once it has failed, in the handshake or later, they fail with
/// `error::session_failed`: nothing that comes could be trusted.
///
/// A write that has timed out may be tried again with the same bytes, and with no others: a part of their record may be on its way
/// already, and OpenSSL sends the rest of it first (SSL_write(3)).
class ssl_client final : public connected_client<ssl_client> {
 public:
  explicit ssl_client(connection&& from) noexcept : connected_client(std::move(from)), records_(wire()) {}

  /// OpenSSL's own handle, for what it knows of the peer (certificate, ALPN, cipher); null before the handshake. It stays the client's.
  SSL* native_ssl() const noexcept { return session_.get(); }

  /// Half-close: close_notify, and the end of the stream on the socket; reading goes on (SSL_shutdown(3)).
  void shutdown_send(error_code& error) {
    error = flush_stream();
    if (error) return;
    say_goodbye();
    wire().shutdown_send(error);
  }
  void shutdown_send() {
    error_code error;
    shutdown_send(error);
    if (error) throw system_error(error, "shutdown_send");
  }

  /// Gives the descriptor away: the caller closes it, in this process. The session ends here, without a close_notify, so the bytes
  /// on the socket from now on are nobody's TLS.
  [[nodiscard]] int release() {
    flush_stream();
    if (session_) SSL_set_quiet_shutdown(session_.get(), 1);
    session_.reset();
    return wire().release().release();
  }

 private:
  friend class text_client<ssl_client>;
  friend class ssl;

  struct free_session {
    void operator()(SSL* session) const noexcept { SSL_free(session); }
  };

  // Nothing when the session stands; otherwise what went wrong.
  std::optional<std::string> handshake(SSL_CTX* context, milliseconds limit) {
    ERR_clear_error();
    session_.reset(SSL_new(context));
    if (!session_ || !records_.attach(session_.get())) return "no TLS session: " + ssl_error_text();
    const auto before = wire().deadline();
    wire().deadline().set_io_timeout(never);
    wire().deadline().expires_within(limit, std::chrono::steady_clock::now());
    const int done = SSL_accept(session_.get());
    std::optional<std::string> reason;
    if (done != 1) {
      reason = why_failed(done, limit);
      session_failed_ = true;
    }
    wire().deadline() = before;
    return reason;
  }

  std::size_t receive(void* data, std::size_t size, error_code& error) noexcept {
    return perform([&](std::size_t& count) { return SSL_read_ex(session_.get(), data, size, &count); }, error);
  }
  std::size_t transmit(const void* data, std::size_t size, error_code& error) noexcept {
    return perform([&](std::size_t& count) { return SSL_write_ex(session_.get(), data, size, &count); }, error);
  }

  template <class Call>
  std::size_t perform(Call&& call, error_code& error) noexcept {
    error.clear();
    if (!is_open()) {
      error = waiter::error::not_open;
      return 0;
    }
    if (!session_ || session_failed_) {
      error = session_ ? waiter::error::session_failed : waiter::error::handshake_not_run;
      return 0;
    }
    ERR_clear_error();
    std::size_t count = 0;
    const int done = call(count);
    if (done > 0) return count;
    error = error_of(done);
    return 0;
  }

  error_code error_of(int done) noexcept {
    switch (SSL_get_error(session_.get(), done)) {
      case SSL_ERROR_ZERO_RETURN: return boost::asio::error::eof;
      // The wire gave up, at its deadline: a session that has waited in vain can go on later.
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return records_.failure();
      case SSL_ERROR_SYSCALL: {
        session_failed_ = true;
        const auto reason = records_.failure();
        if (reason && reason != boost::asio::error::eof) return reason;
        return boost::asio::ssl::error::stream_truncated;
      }
      default: {
        session_failed_ = true;
        const auto code = ERR_peek_error();
        if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return boost::asio::ssl::error::stream_truncated;
        return {static_cast<int>(code), boost::asio::error::get_ssl_category()};
      }
    }
  }

  std::string why_failed(int done, milliseconds limit) {
    const int kind = SSL_get_error(session_.get(), done);
    const auto reason = records_.failure();
    if (reason == waiter::error::timed_out) return "the TLS handshake was not done within " + std::to_string(limit.count()) + " ms";
    if (reason == boost::asio::error::eof) return "TLS handshake: the client closed the connection";
    if (kind != SSL_ERROR_SSL && reason) return "TLS handshake: " + reason.message();
    const auto text = ssl_error_text();
    return "TLS handshake: " + (text.empty() ? "it failed without a reason" : text);
  }

  // close_notify, once; the client's own is not waited for.
  void say_goodbye() noexcept {
    if (!session_ || session_failed_ || !is_open()) return;
    ERR_clear_error();
    if ((SSL_get_shutdown(session_.get()) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(session_.get());
  }

  ssl_wire records_;
  std::unique_ptr<SSL, free_session> session_;
  bool session_failed_ = false;
};

}  // namespace waiter

#endif
