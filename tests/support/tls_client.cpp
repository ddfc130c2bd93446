#include "support/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace support {
namespace {

std::string openssl_error() {
  std::array<char, 256> text{};
  const auto code = ::ERR_get_error();
  if (code == 0) return "the connection ended";
  ::ERR_error_string_n(code, text.data(), text.size());
  ::ERR_clear_error();
  return text.data();
}

using file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using key_pointer = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using certificate_pointer = std::unique_ptr<X509, void (*)(X509*)>;

file open_for_writing(const std::filesystem::path& path) {
  file result{std::fopen(path.c_str(), "w"), &std::fclose};
  if (!result) throw std::runtime_error{"cannot write " + path.string()};
  return result;
}

/// SIGPIPE is blocked while OpenSSL writes with write(2), and taken off if it came.
class no_sigpipe {
 public:
  no_sigpipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~no_sigpipe() {
    const timespec at_once{};
    while (::sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
};

}  // namespace

struct tls_client::session {
  client connection;
  SSL_CTX* context{nullptr};
  SSL* ssl{nullptr};
  bool handshaken{false};
  std::string error{};

  session(std::uint16_t port, const tls_settings& settings, milliseconds within) : connection{port} {
    context = ::SSL_CTX_new(::TLS_client_method());
    if (!context) throw std::runtime_error{openssl_error()};
    ::SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    if (settings.version != tls_version::any) {
      const int number = settings.version == tls_version::tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
      ::SSL_CTX_set_min_proto_version(context, number);
      ::SSL_CTX_set_max_proto_version(context, number);
    }
    if (!settings.certificate.empty()) {
      ::SSL_CTX_use_certificate_file(context, settings.certificate.c_str(), SSL_FILETYPE_PEM);
      ::SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM);
    }
    if (!connection.connected()) {
      error = "refused";
      return;
    }
    const auto milliseconds_left = within.count();
    const timeval limit{milliseconds_left / 1000, (milliseconds_left % 1000) * 1000};
    ::setsockopt(connection.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ssl = ::SSL_new(context);
    ::SSL_set_fd(ssl, connection.descriptor());
    ::SSL_set_tlsext_host_name(ssl, "localhost");
    const no_sigpipe guard;
    handshaken = ::SSL_connect(ssl) == 1;
    if (!handshaken) error = openssl_error();
  }

  ~session() {
    if (ssl) ::SSL_free(ssl);
    ::SSL_CTX_free(context);
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
};

tls_client::tls_client(std::uint16_t port, const tls_settings& settings, milliseconds within)
    : session_{std::make_unique<session>(port, settings, within)} {}
tls_client::~tls_client() = default;
tls_client::tls_client(tls_client&&) noexcept = default;

bool tls_client::handshaken() const { return session_->handshaken; }
const std::string& tls_client::error() const { return session_->error; }
std::string tls_client::version() const { return session_->ssl ? ::SSL_get_version(session_->ssl) : ""; }

std::string tls_client::fingerprint() const {
  X509* const shown = session_->ssl ? ::SSL_get1_peer_certificate(session_->ssl) : nullptr;
  if (!shown) return "";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ::X509_digest(shown, ::EVP_sha256(), digest, &size);
  ::X509_free(shown);
  return {reinterpret_cast<const char*>(digest), size};
}

bool tls_client::send(std::string_view text) {
  if (!handshaken()) return false;
  const no_sigpipe guard;
  return ::SSL_write(session_->ssl, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
}

reply tls_client::read_all() {
  reply result;
  if (!handshaken()) return {{}, session_->error == "refused" ? outcome::refused : outcome::reset};
  std::array<char, 16384> buffer;
  const no_sigpipe guard;
  for (;;) {
    errno = 0;
    const int size = ::SSL_read(session_->ssl, buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0) {
      result.text.append(buffer.data(), static_cast<std::size_t>(size));
      continue;
    }
    const int why = ::SSL_get_error(session_->ssl, size);
    const int number = errno;
    if (why == SSL_ERROR_ZERO_RETURN) {
      result.how = result.text.empty() ? outcome::end_of_stream : outcome::answered;
    } else if (why == SSL_ERROR_WANT_READ || number == EAGAIN) {
      result.how = outcome::timed_out;
    } else if (number == ECONNRESET || number == EPIPE) {
      result.how = outcome::reset;
    } else {
      session_->error = openssl_error();  // a FIN without a close_notify, or an alert
      result.how = outcome::reset;
    }
    return result;
  }
}

reply tls_client::ask(std::string_view text) {
  send(text);
  return read_all();
}

void make_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  const key_pointer pair{::EVP_EC_gen("P-256"), &::EVP_PKEY_free};
  const certificate_pointer made{::X509_new(), &::X509_free};
  if (!pair || !made) throw std::runtime_error{openssl_error()};
  ::X509_set_version(made.get(), 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), 1);
  ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), -3600);
  ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), 24 * 3600);
  ::X509_set_pubkey(made.get(), pair.get());
  auto* const name = ::X509_get_subject_name(made.get());
  const auto* const host = reinterpret_cast<const unsigned char*>("localhost");
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
  ::X509_set_issuer_name(made.get(), name);
  if (::X509_sign(made.get(), pair.get(), ::EVP_sha256()) == 0) throw std::runtime_error{openssl_error()};
  ::PEM_write_X509(open_for_writing(certificate).get(), made.get());
  ::PEM_write_PrivateKey(open_for_writing(key).get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace support
