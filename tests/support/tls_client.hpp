// TLS clients, and the certificates they meet, by OpenSSL.
#ifndef WAITER_TESTS_SUPPORT_TLS_CLIENT_HPP
#define WAITER_TESTS_SUPPORT_TLS_CLIENT_HPP

#include "support/client.hpp"
#include "support/deadline.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace support {

enum class tls_version { any, tls_1_2, tls_1_3 };

struct tls_settings {
  tls_version version{tls_version::any};
  /// The certificate and key to show when asked for; one PEM file each.
  std::filesystem::path certificate{};
  std::filesystem::path key{};
};

/// A client that takes any certificate of the server.
class tls_client {
 public:
  /// Connects and shakes hands; `handshaken()` says whether that worked, `error()` why not.
  explicit tls_client(std::uint16_t port, const tls_settings& settings = {}, milliseconds within = patience);
  ~tls_client();
  tls_client(tls_client&&) noexcept;
  tls_client& operator=(tls_client&&) = delete;

  bool handshaken() const;
  const std::string& error() const;
  /// "TLSv1.3"
  std::string version() const;
  /// What tells the server's certificate from another one; empty when it has shown none.
  std::string fingerprint() const;
  bool send(std::string_view text);
  /// All until the end, which TLS announces; an end unannounced counts as `reset`.
  reply read_all();
  reply ask(std::string_view text);

 private:
  struct session;
  std::unique_ptr<session> session_;
};

/// Writes a new key and a certificate for localhost that it signed itself, both in PEM.
void make_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace support

#endif
