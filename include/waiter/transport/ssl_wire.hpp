#ifndef WAITER_TRANSPORT_SSL_WIRE_HPP
#define WAITER_TRANSPORT_SSL_WIRE_HPP

#include <waiter/client/connection.hpp>
#include <waiter/error.hpp>

#include <boost/asio/error.hpp>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <cstddef>

namespace waiter {

/// Lets OpenSSL read and write through a `connection`, so that TLS keeps the client's deadlines, runs the hooks of signals while it
/// waits, and raises no SIGPIPE, as OpenSSL's own socket BIO would (BIO_meth_new(3)).
class ssl_wire {
 public:
  explicit ssl_wire(connection& below) noexcept : below_(below) {}
  ssl_wire(const ssl_wire&) = delete;
  ssl_wire& operator=(const ssl_wire&) = delete;

  /// Outlives the session. False when there is no memory.
  bool attach(SSL* session) noexcept {
    BIO* const bio = method() == nullptr ? nullptr : BIO_new(method());
    if (bio == nullptr) return false;
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
    return true;
  }

  /// Why the last read or write below failed; clear when it did not.
  const error_code& failure() const noexcept { return failure_; }

 private:
  static ssl_wire& of(BIO* bio) noexcept { return *static_cast<ssl_wire*>(BIO_get_data(bio)); }

  // Never freed: there is one for the life of the process, and its kids.
  static BIO_METHOD* method() noexcept {
    static BIO_METHOD* const instance = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "waiter connection");
      if (made != nullptr) {
        BIO_meth_set_read_ex(made, read);
        BIO_meth_set_write_ex(made, write);
        BIO_meth_set_ctrl(made, control);
      }
      return made;
    }();
    return instance;
  }

  static int read(BIO* bio, char* data, std::size_t size, std::size_t* count) noexcept {
    auto& wire = of(bio);
    *count = wire.below_.receive(data, size, wire.failure_);
    return wire.outcome(bio, BIO_FLAGS_READ);
  }

  static int write(BIO* bio, const char* data, std::size_t size, std::size_t* count) noexcept {
    auto& wire = of(bio);
    *count = wire.below_.transmit(data, size, wire.failure_);
    return wire.outcome(bio, BIO_FLAGS_WRITE);
  }

  int outcome(BIO* bio, int direction) const noexcept {
    BIO_clear_retry_flags(bio);
    if (!failure_) return 1;
    // "Again later" is the one answer that leaves the session usable.
    if (failure_ == waiter::error::timed_out) BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY);
    return failure_ == boost::asio::error::eof ? 0 : -1;
  }

  static long control(BIO* bio, int command, long, void*) noexcept {
    if (command == BIO_CTRL_EOF) return of(bio).failure_ == boost::asio::error::eof;
    return command == BIO_CTRL_FLUSH;
  }

  connection& below_;
  error_code failure_;
};

}  // namespace waiter

#endif
