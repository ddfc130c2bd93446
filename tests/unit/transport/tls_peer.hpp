#ifndef WAITER_TESTS_UNIT_TRANSPORT_TLS_PEER_HPP
#define WAITER_TESTS_UNIT_TRANSPORT_TLS_PEER_HPP

#include "support/client.hpp"

#include <openssl/ssl.h>
#include <pthread.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct free_context {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
struct free_session {
  void operator()(SSL_SESSION* session) const { ::SSL_SESSION_free(session); }
};
using context_pointer = std::unique_ptr<SSL_CTX, free_context>;
using session_pointer = std::unique_ptr<SSL_SESSION, free_session>;

/// The client's side of one connection, on a thread of its own: it connects, shakes hands, and does what it is told. What it
/// saw is read after `join()`.
class tls_peer {
 public:
  struct steps {
    std::function<void(SSL_CTX*)> configure = [](SSL_CTX*) {};
    std::function<void(SSL*)> prepare = [](SSL*) {};
    std::function<void(tls_peer&, SSL*)> talk = [](tls_peer&, SSL*) {};
  };

  tls_peer(std::uint16_t port, steps what)
      : thread_([this, port, what = std::move(what)] {
          // OpenSSL writes with write(2), which raises it when the server has gone.
          sigset_t pipe;
          ::sigemptyset(&pipe);
          ::sigaddset(&pipe, SIGPIPE);
          ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
          support::client connection(port);
          const context_pointer context(::SSL_CTX_new(::TLS_client_method()));
          what.configure(context.get());
          SSL* const ssl = ::SSL_new(context.get());
          ::SSL_set_fd(ssl, connection.descriptor());
          what.prepare(ssl);
          shaken = ::SSL_connect(ssl) == 1;
          if (shaken) version = ::SSL_get_version(ssl);
          if (shaken) what.talk(*this, ssl);
          ::SSL_free(ssl);
        }) {}
  ~tls_peer() { join(); }
  tls_peer(const tls_peer&) = delete;
  tls_peer& operator=(const tls_peer&) = delete;

  tls_peer& join() {
    if (thread_.joinable()) thread_.join();
    return *this;
  }

  /// Reads until that fails, and keeps why.
  void read_all(SSL* ssl) {
    char scratch[16384];
    for (;;) {
      const int count = ::SSL_read(ssl, scratch, sizeof scratch);
      if (count <= 0) {
        ended = ::SSL_get_error(ssl, count);
        return;
      }
      text.append(scratch, static_cast<std::size_t>(count));
    }
  }

  bool shaken = false;
  std::string version{};
  std::string text{};
  int ended = SSL_ERROR_NONE;  ///< SSL_ERROR_ZERO_RETURN after a close_notify
  bool resumed = false;
  std::string protocol{};

 private:
  std::thread thread_;
};

inline bool send(SSL* ssl, std::string_view text) {
  return ::SSL_write(ssl, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
}

}  // namespace

#endif
