#ifndef WAITER_TRANSPORT_SSL_OPTIONS_HPP
#define WAITER_TRANSPORT_SSL_OPTIONS_HPP

#include <waiter/options.hpp>

#include <openssl/types.h>

#include <functional>
#include <string>
#include <vector>

namespace waiter {

/// Whether clients show a certificate: never, if they like, or else the handshake fails. One that is shown must be good.
enum class verify { none, request, require };

enum class tls_version { v1_2, v1_3 };

/// What the `ssl` transport can be told. Files are PEM, and are read in the listening process: before it listens, and
/// again at each `reload()`.
struct ssl_options {
  /// The server's certificate, followed by those that lead to its root. Required, unless `configure` sets one.
  std::string cert_file{};
  /// Its key; empty means that it stands in `cert_file` too.
  std::string key_file{};
  /// What the key is encrypted with, if it is. Nobody is ever asked on a terminal.
  std::string key_password{};
  /// Who may have signed clients' certificates. Required when they are verified.
  std::string ca_file{};
  verify verify_mode = verify::none;
  /// For TLS 1.2, as openssl-ciphers(1) writes them; empty means OpenSSL's own choice.
  std::string ciphers{};
  /// For TLS 1.3.
  std::string ciphersuites{};
  tls_version min_version = tls_version::v1_2;
  tls_version max_version = tls_version::v1_3;
  /// The protocols offered by ALPN, the best first. A client that knows none of them is refused (RFC 7301, 3.2); one that does not
  /// ask is served.
  std::vector<std::string> alpn{};
  /// For the whole handshake, however many reads it takes. `waiter::never` lifts it.
  milliseconds handshake_timeout{10000};
  /// Called last with OpenSSL's native context, for everything else. In the listening process.
  std::function<void(SSL_CTX* context)> configure{};
};

}  // namespace waiter

#endif
