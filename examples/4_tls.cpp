// Greets over TLS: certificates, and what is known about a client's session.
//
//   $ 4_tls 9123 &                      4_tls [PORT [CERTIFICATE KEY [CA]]]
//   … certificate: /tmp/waiter-example-x1Y2z3/cert.pem
//   … listening on port 9123
//   $ openssl s_client -quiet -connect localhost:9123 -CAfile /tmp/waiter-example-x1Y2z3/cert.pem
//   hello stranger, this is TLSv1.3 with TLS_AES_256_GCM_SHA384
//
// Given no certificate, it makes one for localhost. Given a CA, clients must show a certificate of that CA, and are greeted by
// name.
//
// A pool of processes accepts, and each shakes hands with its own client: one that is slow or silent holds up nobody else.
#include "support/port.hpp"
#include "support/self_signed.hpp"

#include <waiter/ssl.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

struct secret_greeter : waiter::basic_waiter<secret_greeter, waiter::prefork, waiter::ssl> {
  using basic_waiter::basic_waiter;

  void on_listen_ok() {
    log("certificate: ", get_options().transport.cert_file);
    log("listening on port ", get_port());
  }

  // After the handshake; what is written here is encrypted.
  void on_process(client_type& client) {
    SSL* const session = client.native_ssl();  // OpenSSL's own handle, for all that it can tell
    client.stream() << "hello " << name_of(session) << ", this is " << SSL_get_version(session) << " with "
                    << SSL_get_cipher_name(session) << "\n";
  }

  // In place of on_process, when the handshake fails: plain text on the TLS port, a certificate of an unknown CA, silence, …
  void on_ssl_error(std::string_view what) { log("no session: ", what); }

 private:
  // The common name in the client's certificate. A certificate that is here is a good one: the handshake has seen to that.
  static std::string name_of(SSL* session) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session), X509_free);
    if (!certificate) return "stranger";
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    return name;
  }
};

int main(int count, char** arguments) {
  const auto port = waiter_examples::to_port(count > 1 ? arguments[1] : "9123");
  if (!port || count == 3 || count > 5) {
    std::cerr << "usage: 4_tls [PORT [CERTIFICATE KEY [CA]]], where PORT is 0 to 65535 and the others are PEM files\n";
    return 2;
  }
  std::optional<waiter_examples::self_signed> made;
  secret_greeter::options options{.port = *port, .fork = {.prefork = 4, .maxfork = 32}};
  if (count > 2) {
    options.transport = {.cert_file = arguments[2], .key_file = arguments[3]};
  } else {
    made.emplace();
    options.transport = {.cert_file = made->cert_file(), .key_file = made->key_file()};
  }
  if (count > 4) {
    options.transport.ca_file = arguments[4];
    options.transport.verify_mode = waiter::verify::require;
  }
  secret_greeter server{options};
  return server.run();  // 100, and the log says why, when a file is missing, is no PEM, or the key belongs to another certificate
}
