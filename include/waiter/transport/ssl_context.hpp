#ifndef WAITER_TRANSPORT_SSL_CONTEXT_HPP
#define WAITER_TRANSPORT_SSL_CONTEXT_HPP

#include <waiter/error.hpp>
#include <waiter/transport/ssl_error_text.hpp>
#include <waiter/transport/ssl_options.hpp>

#include <boost/asio/ssl/context.hpp>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace waiter {

/// The TLS context of a server, made from its options.
class ssl_context {
 public:
  /// Nothing, or one sentence that says what is wrong. A context that could be made replaces the one before.
  std::optional<std::string> make(const ssl_options& settings) {
    if (auto wrong = contradiction(settings)) return wrong;
    ERR_clear_error();
    auto fresh = std::make_unique<made>(boost::asio::ssl::context::tls_server);
    if (auto wrong = fill(*fresh, settings)) return wrong;
    if (settings.configure) settings.configure(fresh->context.native_handle());
    current_ = std::move(fresh);
    return std::nullopt;
  }

  SSL_CTX* get() const noexcept { return current_->context.native_handle(); }
  boost::asio::ssl::context& asio() const noexcept { return current_->context; }

 private:
  struct made {
    explicit made(boost::asio::ssl::context::method method) : context(method) {}
    boost::asio::ssl::context context;
    std::string protocols;  // ALPN's list as it stands on the wire; OpenSSL's callback looks here
  };

  static std::optional<std::string> contradiction(const ssl_options& settings) {
    if (settings.cert_file.empty() && !settings.configure)
      return "the ssl transport needs a certificate: set .transport.cert_file (see docs/options.md)";
    if (settings.min_version > settings.max_version)
      return "min_version <= max_version does not hold: TLS 1.3 > TLS 1.2 (.transport, see docs/options.md)";
    if (settings.verify_mode != verify::none && settings.ca_file.empty() && !settings.configure)
      return "clients' certificates are to be verified, but by nobody: set .transport.ca_file (see docs/options.md)";
    for (const auto& protocol : settings.alpn)
      if (protocol.empty() || protocol.size() > 255)
        return "1 <= length <= 255 does not hold for the protocol '" + protocol + "' in .transport.alpn (RFC 7301, 3.1)";
    return std::nullopt;
  }

  static std::optional<std::string> fill(made& fresh, const ssl_options& settings) {
    auto& context = fresh.context;
    SSL_CTX* const native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, version(settings.min_version));
    SSL_CTX_set_max_proto_version(native, version(settings.max_version));
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(native, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // OpenSSL would read a record's header and its body by two system calls.
    SSL_CTX_set_read_ahead(native, 1);
    // Sessions of clients with a certificate are resumed only under a name (SSL_CTX_set_session_id_context(3)).
    SSL_CTX_set_session_id_context(native, reinterpret_cast<const unsigned char*>("waiter"), 6);

    error_code error;
    // Always set, or OpenSSL would ask on the terminal and wait for an answer.
    context.set_password_callback([password = settings.key_password](auto, auto) { return password; }, error);
    if (!settings.cert_file.empty()) {
      const std::string& key_file = settings.key_file.empty() ? settings.cert_file : settings.key_file;
      if (auto wrong = unreadable("certificate", settings.cert_file)) return wrong;
      if (auto wrong = unreadable("key", key_file)) return wrong;
      if (context.use_certificate_chain_file(settings.cert_file, error); error)
        return in_file("certificate", settings.cert_file, error.message());
      if (SSL_CTX_use_PrivateKey_file(native, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        // Both are read by then, so this reason can only mean that they do not belong together.
        if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH)
          return "key file '" + key_file + "' does not belong to the certificate in '" + settings.cert_file + "'";
        return in_file("key", key_file, "no private key in PEM that can be read with the password given: " + ssl_error_text());
      }
    }
    if (!settings.ca_file.empty()) {
      if (auto wrong = unreadable("CA", settings.ca_file)) return wrong;
      if (context.load_verify_file(settings.ca_file, error); error) return in_file("CA", settings.ca_file, error.message());
      SSL_CTX_set_client_CA_list(native, SSL_load_client_CA_file(settings.ca_file.c_str()));
    }
    SSL_CTX_set_verify(native, mode(settings.verify_mode), nullptr);
    if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(native, settings.ciphers.c_str()) != 1)
      return "no cipher of TLS 1.2 is named by .transport.ciphers '" + settings.ciphers + "' (openssl-ciphers(1))";
    if (!settings.ciphersuites.empty() && SSL_CTX_set_ciphersuites(native, settings.ciphersuites.c_str()) != 1)
      return "not all of .transport.ciphersuites '" + settings.ciphersuites + "' are ones of TLS 1.3 (openssl-ciphers(1))";
    for (const auto& protocol : settings.alpn) fresh.protocols.append(1, static_cast<char>(protocol.size())).append(protocol);
    if (!fresh.protocols.empty()) SSL_CTX_set_alpn_select_cb(native, choose_protocol, &fresh.protocols);
    return std::nullopt;
  }

  static std::optional<std::string> unreadable(const char* what, const std::string& file) {
    std::error_code unknown;
    if (std::filesystem::is_directory(file, unknown)) return std::string(what) + " file '" + file + "': it is a directory";
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0) return std::nullopt;
    return std::string(what) + " file '" + file + "': " + std::strerror(errno);
  }

  static std::string in_file(const char* what, const std::string& file, const std::string& reason) {
    return std::string(what) + " file '" + file + "': " + reason;
  }

  static int version(tls_version version) { return version == tls_version::v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION; }

  static int mode(verify verification) {
    switch (verification) {
      case verify::none: return SSL_VERIFY_NONE;
      case verify::request: return SSL_VERIFY_PEER;
      case verify::require: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }

  static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                             unsigned int offered_length, void* ours) noexcept {
    const auto& protocols = *static_cast<const std::string*>(ours);
    unsigned char* match = nullptr;
    const int result = SSL_select_next_proto(&match, length, reinterpret_cast<const unsigned char*>(protocols.data()),
                                             static_cast<unsigned int>(protocols.size()), offered, offered_length);
    *chosen = match;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  std::unique_ptr<made> current_;
};

}  // namespace waiter

#endif
