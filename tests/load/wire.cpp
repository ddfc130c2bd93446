#include "wire.hpp"

#include <sys/socket.h>
#include <unistd.h>

#ifdef WAITER_LOAD_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#include <array>
#include <cerrno>
#include <cstddef>

namespace load {
namespace {

// One is enough: nobody keeps what was received beyond the next call.
std::array<char, 256 * 1024> buffer;

step after_errno(step wants) {
  if (errno == EAGAIN || errno == EINTR) return wants;
  return errno == ECONNRESET || errno == EPIPE ? step::reset : step::failed;
}

#ifdef WAITER_LOAD_TLS
class tls_wire : public wire {
 public:
  tls_wire(const settings& asked, int fd) : wire(fd), ssl_(::SSL_new(context(asked))) {
    ::SSL_set_fd(ssl_, fd);
    if (!asked.resume || last_session_ == nullptr) return;
    // A copy: OpenSSL lets a session of TLS 1.3 be resumed only once.
    SSL_SESSION* const copy = ::SSL_SESSION_dup(last_session_);
    ::SSL_set_session(ssl_, copy);
    ::SSL_SESSION_free(copy);
  }
  ~tls_wire() override {
    // Who ends without a word has a session that OpenSSL takes for broken, and does not resume.
    ::SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ::SSL_free(ssl_);
  }
  step greet() override { return judge(::SSL_connect(ssl_)); }
  step send(std::string_view& rest) override {
    while (!rest.empty()) {
      std::size_t sent = 0;
      const step how = judge(::SSL_write_ex(ssl_, rest.data(), rest.size(), &sent));
      if (how != step::done) return how;
      rest.remove_prefix(sent);
    }
    return step::done;
  }
  step receive(std::string_view& into) override {
    std::size_t size = 0;
    const step how = judge(::SSL_read_ex(ssl_, buffer.data(), buffer.size(), &size));
    into = {buffer.data(), size};
    return how;
  }
  void say_end() override {
    ::SSL_shutdown(ssl_);
    wire::say_end();
  }
  bool resumed() const override { return ::SSL_session_reused(ssl_) == 1; }

 private:
  static SSL_CTX* context(const settings& asked) {
    static SSL_CTX* const one = [&asked] {
      SSL_CTX* const made = ::SSL_CTX_new(::TLS_client_method());
      ::SSL_CTX_set_verify(made, SSL_VERIFY_NONE, nullptr);
      // A write may go on from another place: a string that is looked at from further behind.
      ::SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      if (asked.tls12) ::SSL_CTX_set_max_proto_version(made, TLS1_2_VERSION);
      if (asked.resume) {
        ::SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        ::SSL_CTX_sess_set_new_cb(made, [](SSL*, SSL_SESSION* session) {
          ::SSL_SESSION_free(last_session_);
          last_session_ = session;
          return 1;  // it is ours now
        });
      }
      return made;
    }();
    return one;
  }
  step judge(int result) {
    const int reason = errno;
    const int error = ::SSL_get_error(ssl_, result);
    ::ERR_clear_error();
    if (result > 0) return step::done;
    switch (error) {
      case SSL_ERROR_WANT_READ: return step::wants_read;
      case SSL_ERROR_WANT_WRITE: return step::wants_write;
      case SSL_ERROR_ZERO_RETURN: return step::end;
      // An end that TLS did not announce, or a reset; which of them the socket knows.
      default: return error == SSL_ERROR_SYSCALL && (reason == ECONNRESET || reason == EPIPE) ? step::reset : step::end;
    }
  }
  SSL* ssl_;
  inline static SSL_SESSION* last_session_ = nullptr;
};
#endif

}  // namespace

wire::~wire() { ::close(fd_); }

step wire::send(std::string_view& rest) {
  while (!rest.empty()) {
    const auto sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return after_errno(step::wants_write);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return step::done;
}

step wire::receive(std::string_view& into) {
  const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (size < 0) return after_errno(step::wants_read);
  if (size == 0) return step::end;
  into = {buffer.data(), static_cast<std::size_t>(size)};
  return step::done;
}

void wire::say_end() { ::shutdown(fd_, SHUT_WR); }

std::unique_ptr<wire> make_wire([[maybe_unused]] const settings& asked, int fd) {
#ifdef WAITER_LOAD_TLS
  if (asked.tls) return std::make_unique<tls_wire>(asked, fd);
#endif
  return std::make_unique<wire>(fd);
}

}  // namespace load
