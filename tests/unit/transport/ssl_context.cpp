#include <waiter/transport/ssl_context.hpp>
#include <waiter/limits.hpp>

#include "certificates.hpp"

#include "support/catch.hpp"

#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace {

using waiter::ssl_context;
using waiter::ssl_options;
using waiter::tls_version;
using waiter::verify;

ssl_options good(const certificates& files) { return {.cert_file = files.certificate, .key_file = files.key}; }

/// What is wrong with the options.
std::string sentence(const ssl_options& settings) {
  ssl_context context;
  return context.make(settings).value_or("nothing");
}

}  // namespace

TEST_CASE("a certificate and its key are enough") {
  const certificates files;
  ssl_context context;
  CHECK_FALSE(context.make(good(files)));
  REQUIRE(context.get() != nullptr);
  CHECK(::SSL_CTX_check_private_key(context.get()) == 1);
  CHECK(::SSL_CTX_get_min_proto_version(context.get()) == TLS1_2_VERSION);
  CHECK(::SSL_CTX_get_max_proto_version(context.get()) == TLS1_3_VERSION);
}

TEST_CASE("certificate and key may stand in one file") {
  const certificates files;
  std::string both;
  for (const auto& path : {files.certificate, files.key}) {
    std::ifstream file(path);
    both.append(std::istreambuf_iterator<char>(file), {});
  }
  CHECK(sentence({.cert_file = files.write("both.pem", both)}) == "nothing");
}

TEST_CASE("what is wrong with a file is said in one sentence, with the file's name") {
  const certificates files;
  const std::string missing = files.directory / "nobody.pem";
  const std::string folder = files.directory.path();
  const std::string garbage = files.write("garbage.pem", "this is no PEM file\n");
  const std::string empty = files.write("empty.pem", "");
  const std::string cut = files.write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
  struct row {
    const char* what;
    std::function<void(ssl_options&)> change;
    std::string begins, holds;
  };
  const row table[] = {
      {"no certificate there", [&](auto& it) { it.cert_file = missing; }, "certificate file '" + missing + "': ", "No such file"},
      {"a folder for a certificate", [&](auto& it) { it.cert_file = folder; }, "certificate file '" + folder + "': ", ""},
      {"garbage for a certificate", [&](auto& it) { it.cert_file = garbage; }, "certificate file '" + garbage + "': ", ""},
      {"nothing for a certificate", [&](auto& it) { it.cert_file = empty; }, "certificate file '" + empty + "': ", ""},
      {"half a certificate", [&](auto& it) { it.cert_file = cut; }, "certificate file '" + cut + "': ", ""},
      {"a key for a certificate", [&](auto& it) { it.cert_file = files.key; }, "certificate file '" + files.key + "': ", ""},
      {"no key there", [&](auto& it) { it.key_file = missing; }, "key file '" + missing + "': ", "No such file"},
      {"a folder for a key", [&](auto& it) { it.key_file = folder; }, "key file '" + folder + "': ", ""},
      {"garbage for a key", [&](auto& it) { it.key_file = garbage; }, "key file '" + garbage + "': ", ""},
      {"no key in the certificate's file", [&](auto& it) { it.key_file = ""; }, "key file '" + files.certificate + "': ", ""},
      {"the key of another certificate", [&](auto& it) { it.key_file = files.other_key; },
       "key file '" + files.other_key + "' does not belong to", files.certificate},
      {"no CA there", [&](auto& it) { it.ca_file = missing; }, "CA file '" + missing + "': ", "No such file"},
      {"garbage for a CA", [&](auto& it) { it.ca_file = garbage; }, "CA file '" + garbage + "': ", ""},
      {"a folder for a CA", [&](auto& it) { it.ca_file = folder; }, "CA file '" + folder + "': ", ""},
  };
  for (const auto& row : table) {
    INFO(row.what);
    auto settings = good(files);
    row.change(settings);
    const auto told = sentence(settings);
    CHECK_THAT(told, Catch::Matchers::StartsWith(row.begins));
    CHECK(told.find(row.holds) != told.npos);
    // There is a reason behind the colon, and it is one line.
    CHECK(told.size() > row.begins.size());
    CHECK(told.find('\n') == told.npos);
  }
}

TEST_CASE("a file that may not be read is said to be so") {
  if (::geteuid() != 0) WAITER_SKIP("only root can become somebody who may not read it");
  const certificates files;
  ::chmod(files.directory.path().c_str(), 0755);
  ::chmod(files.key.c_str(), 0600);
  auto settings = good(files);
  REQUIRE(::setresuid(65534, 65534, 0) == 0);
  const auto told = sentence(settings);
  REQUIRE(::setresuid(0, 0, 0) == 0);
  CHECK(told == "key file '" + files.key + "': Permission denied");
}

TEST_CASE("options that contradict each other are said to, before any file is read") {
  struct row {
    const char* what;
    ssl_options settings;
    std::string sentence;
  };
  const row table[] = {
      {"no certificate", {}, "the ssl transport needs a certificate: set .transport.cert_file (see docs/options.md)"},
      {"versions the wrong way round",
       {.cert_file = "x", .min_version = tls_version::v1_3, .max_version = tls_version::v1_2},
       "min_version <= max_version does not hold: TLS 1.3 > TLS 1.2 (.transport, see docs/options.md)"},
      {"verified by nobody",
       {.cert_file = "x", .verify_mode = verify::request},
       "clients' certificates are to be verified, but by nobody: set .transport.ca_file (see docs/options.md)"},
      {"required by nobody",
       {.cert_file = "x", .verify_mode = verify::require},
       "clients' certificates are to be verified, but by nobody: set .transport.ca_file (see docs/options.md)"},
      {"a protocol without a name",
       {.cert_file = "x", .alpn = {"h2", ""}},
       "1 <= length <= 255 does not hold for the protocol '' in .transport.alpn (RFC 7301, 3.1)"},
      {"a protocol with too long a name",
       {.cert_file = "x", .alpn = {std::string(256, 'p')}},
       "1 <= length <= 255 does not hold for the protocol '" + std::string(256, 'p') + "' in .transport.alpn (RFC 7301, 3.1)"},
  };
  for (const auto& row : table) {
    INFO(row.what);
    CHECK(sentence(row.settings) == row.sentence);
  }
}

TEST_CASE("ciphers that nobody knows are refused, others are used") {
  const certificates files;
  auto settings = good(files);
  settings.ciphers = "NOT-A-CIPHER";
  CHECK_THAT(sentence(settings),
             Catch::Matchers::StartsWith("no cipher of TLS 1.2 is named by .transport.ciphers 'NOT-A-CIPHER'"));
  settings.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  settings.ciphersuites = "TLS_NONSENSE";
  CHECK_THAT(sentence(settings), Catch::Matchers::StartsWith("not all of .transport.ciphersuites 'TLS_NONSENSE'"));
  settings.ciphersuites = "TLS_AES_128_GCM_SHA256";
  CHECK(sentence(settings) == "nothing");
}

TEST_CASE("an encrypted key is opened by its password, and by no other") {
  const certificates files;
  auto settings = good(files);
  settings.key_file = files.encrypted_key("open sesame");
  settings.key_password = "open sesame";
  CHECK(sentence(settings) == "nothing");
  for (const std::string wrong : {"", "open", "open sesame!", "an entirely different one"}) {
    CAPTURE(wrong);
    settings.key_password = wrong;
    CHECK_THAT(sentence(settings), Catch::Matchers::StartsWith("key file '" + settings.key_file + "': "));
  }
}

TEST_CASE("configure is called last, once, and may bring the certificate") {
  const certificates files;
  int called = 0;
  ssl_options settings;
  settings.max_version = tls_version::v1_2;
  settings.configure = [&](SSL_CTX* context) {
    ++called;
    CHECK(::SSL_CTX_get_max_proto_version(context) == TLS1_2_VERSION);
    CHECK(::SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1);
    CHECK(::SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1);
  };
  CHECK(sentence(settings) == "nothing");
  CHECK(called == 1);
}

TEST_CASE("options that are wrong leave the context of before") {
  const certificates files;
  ssl_context context;
  REQUIRE_FALSE(context.make(good(files)));
  const auto* before = context.get();
  auto settings = good(files);
  settings.key_file = files.other_key;
  CHECK(context.make(settings));
  CHECK(context.get() == before);
  CHECK_FALSE(context.make(good(files)));
}

TEST_CASE("what is left in OpenSSL's queue of errors is not blamed on the options") {
  const certificates files;
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  auto settings = good(files);
  CHECK(sentence(settings) == "nothing");
  ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
  settings.key_file = files.write("garbage.pem", "garbage");
  CHECK_THAT(sentence(settings), Catch::Matchers::StartsWith("key file '" + settings.key_file + "': "));
}

TEST_CASE("the default of handshake_timeout is the one that the limits know") {
  CHECK(waiter::ssl_options().handshake_timeout == waiter::limits().handshake_timeout);
}
