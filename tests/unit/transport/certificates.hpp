#ifndef WAITER_TESTS_UNIT_TRANSPORT_CERTIFICATES_HPP
#define WAITER_TESTS_UNIT_TRANSPORT_CERTIFICATES_HPP

#include "support/catch.hpp"
#include "support/temp_directory.hpp"
#include "support/tls_client.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace {

/// A certificate with its key, and one that nobody knows.
struct certificates {
  support::temp_directory directory{};
  std::string certificate = directory / "certificate.pem";
  std::string key = directory / "key.pem";
  std::string other_certificate = directory / "other_certificate.pem";
  std::string other_key = directory / "other_key.pem";

  certificates() {
    support::make_certificate(certificate, key);
    support::make_certificate(other_certificate, other_key);
  }

  std::string write(const char* name, const std::string& text) const {
    const std::string path = directory / name;
    std::ofstream(path) << text;
    return path;
  }

  /// The key once more, encrypted.
  std::string encrypted_key(const std::string& password) const {
    const std::string path = directory / "encrypted_key.pem";
    using file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    const file from(std::fopen(key.c_str(), "r"), &std::fclose);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> pair(::PEM_read_PrivateKey(from.get(), nullptr, nullptr, nullptr),
                                                              &::EVP_PKEY_free);
    const file to(std::fopen(path.c_str(), "w"), &std::fclose);
    REQUIRE(::PEM_write_PrivateKey(to.get(), pair.get(), ::EVP_aes_128_cbc(),
                                   reinterpret_cast<const unsigned char*>(password.data()), static_cast<int>(password.size()),
                                   nullptr, nullptr) == 1);
    return path;
  }
};

}  // namespace

#endif
