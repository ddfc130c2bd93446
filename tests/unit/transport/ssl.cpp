#include <waiter/transport/ssl.hpp>
#include <waiter/server/client_fault.hpp>
#include <waiter/system/signal_handlers.hpp>

#include "../client/loopback.hpp"
#include "certificates.hpp"
#include "tls_peer.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"

#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <exception>
#include <optional>
#include <string>
#include <thread>

namespace {

using waiter::error_code;
using waiter::milliseconds;
using waiter::ssl;
using waiter::ssl_client;
using waiter::ssl_options;
using waiter::tls_version;
using waiter::verify;
using namespace std::chrono_literals;

// Made before the first case, so that none leaves them behind.
const certificates made_for_all;
const certificates& files() { return made_for_all; }

ssl_options good() { return {.cert_file = files().certificate, .key_file = files().key}; }

/// A transport that listens.
struct server {
  ssl transport{};
  waiter::system::listener listener{};

  explicit server(const ssl_options& settings = good()) {
    const auto wrong = transport.prepare(settings);
    INFO(wrong.value_or(""));
    REQUIRE_FALSE(wrong);
    error_code error;
    listener.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 8, 5000ms, error);
    REQUIRE_FALSE(error);
    listener.accept_timeout(10000ms);
  }

  std::uint16_t port() const { return listener.local().port(); }

  waiter::connection accept(milliseconds io_timeout = 10000ms, waiter::system::safe_point pause = {}) {
    error_code error;
    auto client = listener.accept(error);
    REQUIRE(client);
    return waiter::connection(std::move(*client), io_timeout, pause);
  }

  /// Serves one client: shakes hands, does `work`, and closes in order. Why the handshake failed, if it did.
  template <class Work>
  std::optional<std::string> serve(Work&& work, milliseconds io_timeout = 10000ms) {
    ssl_client client = transport.welcome(accept(io_timeout));
    auto reason = transport.handshake(client);
    if (!reason) work(client);
    transport.finish(client);
    return reason;
  }
  std::optional<std::string> serve() {
    return serve([](ssl_client&) {});
  }
};

std::string handshake_with(server& one, std::string_view text) {
  support::client client(one.port());
  client.send(text);
  ssl_client accepted = one.transport.welcome(one.accept());
  return one.transport.handshake(accepted).value_or("done");
}

void trust_only(SSL_CTX* context, int version) {
  ::SSL_CTX_set_min_proto_version(context, version);
  ::SSL_CTX_set_max_proto_version(context, version);
}

}  // namespace

TEST_CASE("lines go both ways over TLS, and the end is announced") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  server one;
  tls_peer peer(one.port(), {.configure = [version](SSL_CTX* context) { trust_only(context, version); },
                             .talk =
                                 [](tls_peer& self, SSL* ssl) {
                                   send(ssl, "hello\n");
                                   self.read_all(ssl);
                                 }});
  std::optional<std::string> line;
  CHECK_FALSE(one.serve([&](ssl_client& client) {
    CHECK(client.native_ssl() != nullptr);
    line = client.read_line();
    client.write("welcome\n");
    client.stream() << "and good bye";
  }));
  peer.join();
  CHECK(line == "hello");
  CHECK(peer.text == "welcome\nand good bye");
  CHECK(peer.ended == SSL_ERROR_ZERO_RETURN);
  CHECK(peer.version == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
}

TEST_CASE("a client whose handshake has not run reads nothing, and not one byte is sent to it") {
  server one;
  support::client peer(one.port());
  {
    ssl_client client = one.transport.welcome(one.accept());
    CHECK(client.native_ssl() == nullptr);
    error_code error;
    client.write("secret", error);
    CHECK(error == waiter::error::handshake_not_run);
    char byte = 0;
    CHECK(client.read_some(boost::asio::buffer(&byte, 1), error) == 0);
    CHECK(error == waiter::error::handshake_not_run);
    client.stream() << "secret";
    one.transport.finish(client);
  }
  CHECK(peer.read_all() == support::reply{"", support::outcome::end_of_stream});
}

TEST_CASE("a client that says nothing has its handshake's time, no longer") {
  auto settings = good();
  settings.handshake_timeout = 300ms;
  server one(settings);
  const support::client peer(one.port());
  ssl_client client = one.transport.welcome(one.accept());
  const support::stopwatch watch;
  CHECK(one.transport.handshake(client) == "the TLS handshake was not done within 300 ms");
  CHECK(watch.elapsed() >= 295ms);
  CHECK(watch.elapsed() < 5000ms);
  error_code error;
  client.write("x", error);
  CHECK(error == waiter::error::session_failed);
}

TEST_CASE("a client that sends its handshake byte by byte has no more time") {
  auto settings = good();
  settings.handshake_timeout = 400ms;
  server one(settings);
  support::client peer(one.port());
  std::promise<void> done;
  std::thread drips([&peer, over = done.get_future()] {
    // The beginning of a record that promises 512 bytes.
    std::string record("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
    record.resize(500, 'r');
    for (const char byte : record)
      if (!peer.send({&byte, 1}) || over.wait_for(15ms) != std::future_status::timeout) break;
  });
  milliseconds took{};
  std::optional<std::string> reason;
  {
    ssl_client client = one.transport.welcome(one.accept());
    const support::stopwatch watch;
    reason = one.transport.handshake(client);
    took = watch.elapsed();
  }
  done.set_value();
  drips.join();
  CHECK(reason == "the TLS handshake was not done within 400 ms");
  CHECK(took >= 395ms);
  CHECK(took < 5000ms);
}

TEST_CASE("a client that speaks something else is told apart in words") {
  server one;
  CHECK(handshake_with(one, "GET / HTTP/1.0\r\n\r\n") == "TLS handshake: http request");
  CHECK(handshake_with(one, "CONNECT example.org:443 HTTP/1.1\r\n\r\n") == "TLS handshake: https proxy request");
  CHECK(handshake_with(one, "EHLO example.org\r\n") == "TLS handshake: wrong version number");
  CHECK(handshake_with(one, std::string(11, '\0')) == "TLS handshake: wrong version number");
}

TEST_CASE("a client that leaves during its handshake is told apart from one that resets") {
  server one;
  {
    support::client(one.port()).close();
    ssl_client client = one.transport.welcome(one.accept());
    const auto reason = one.transport.handshake(client).value_or("done");
    CAPTURE(reason);
    CHECK(
        (reason == "TLS handshake: the client closed the connection" || reason == "TLS handshake: unexpected eof while reading"));
  }
  {
    support::client peer(one.port());
    peer.send("\x16\x03\x01");
    auto wire = one.accept();
    peer.reset();
    ssl_client client = one.transport.welcome(std::move(wire));
    CHECK(one.transport.handshake(client) == "TLS handshake: Connection reset by peer");
  }
}

TEST_CASE("a failed handshake leaves nothing behind for the next client") {
  server one;
  CHECK(handshake_with(one, "nonsense, and not TLS") != "done");
  tls_peer peer(one.port(), {.talk = [](tls_peer& self, SSL* ssl) { self.read_all(ssl); }});
  CHECK_FALSE(one.serve([](ssl_client& client) { client.write("served"); }));
  CHECK(peer.join().text == "served");
}

TEST_CASE("a stream that ends without close_notify was cut, one that ends with it is at its end") {
  const bool announced = GENERATE(true, false);
  server one;
  const tls_peer peer(one.port(), {.talk = [announced](tls_peer& self, SSL* ssl) {
                        send(ssl, "some");
                        if (announced) ::SSL_shutdown(ssl);
                        // With bytes unread a close would be a reset.
                        ::shutdown(::SSL_get_fd(ssl), SHUT_WR);
                        self.read_all(ssl);
                      }});
  error_code error;
  std::string text;
  CHECK_FALSE(one.serve([&](ssl_client& client) {
    text = client.read_all(error);
    if (!announced) return;
    // Again at each further call.
    char byte = 0;
    error_code again;
    CHECK(client.read_some(boost::asio::buffer(&byte, 1), again) == 0);
    CHECK(again == boost::asio::error::eof);
  }));
  CHECK(text == "some");
  if (announced)
    CHECK_FALSE(error);
  else
    CHECK(error == boost::asio::ssl::error::stream_truncated);
}

TEST_CASE("a session that fails tells why once, then that it has failed, and is the client's fault") {
  const bool cut = GENERATE(false, true);
  CAPTURE(cut);
  server one;
  const tls_peer peer(one.port(), {.talk = [cut](tls_peer&, SSL* ssl) {
                        send(ssl, "some\n");
                        const std::string_view no_record = "this is no record of TLS\n";
                        if (!cut) ::send(::SSL_get_fd(ssl), no_record.data(), no_record.size(), MSG_NOSIGNAL);
                        ::shutdown(::SSL_get_fd(ssl), SHUT_WR);
                        char byte = 0;
                        while (::recv(::SSL_get_fd(ssl), &byte, 1, 0) > 0) {
                        }
                      }});
  CHECK_FALSE(one.serve([&](ssl_client& client) {
    CHECK(client.read_line() == "some");
    char byte = 0;
    error_code first, second, third;
    client.read_some(boost::asio::buffer(&byte, 1), first);
    if (cut)
      CHECK(first == boost::asio::ssl::error::stream_truncated);
    else
      CHECK(&first.category() == &boost::asio::error::get_ssl_category());
    client.read_some(boost::asio::buffer(&byte, 1), second);
    client.write("x", third);
    CHECK(second == waiter::error::session_failed);
    CHECK(third == waiter::error::session_failed);
    for (const auto& each : {first, second})
      CHECK(waiter::is_client_fault(std::make_exception_ptr(waiter::system_error(each, "read"))));
  }));
}

TEST_CASE("a read that has waited in vain can be tried again") {
  server one;
  std::promise<void> now;
  const tls_peer peer(one.port(), {.talk = [later = now.get_future().share()](tls_peer&, SSL* ssl) {
                        later.wait();
                        send(ssl, "late\n");
                      }});
  CHECK_FALSE(one.serve(
      [&](ssl_client& client) {
        error_code error;
        CHECK_FALSE(client.read_line(error));
        CHECK(error == waiter::error::timed_out);
        now.set_value();
        client.io_timeout(10000ms);
        CHECK(client.read_line(error) == "late");
        CHECK_FALSE(error);
      },
      50ms));
}

TEST_CASE("the client's own limit holds again after the handshake") {
  server one;
  std::promise<void> over;
  const tls_peer peer(one.port(), {.talk = [end = over.get_future().share()](tls_peer&, SSL*) { end.wait(); }});
  CHECK_FALSE(one.serve(
      [&](ssl_client& client) {
        CHECK(client.io_timeout() == 100ms);
        const support::stopwatch watch;
        error_code error;
        client.read_line(error);
        CHECK(error == waiter::error::timed_out);
        CHECK(watch.elapsed() < 5000ms);
      },
      100ms));
  over.set_value();
}

TEST_CASE("a client that does not read is given up at the deadline") {
  server one;
  std::promise<void> over;
  const tls_peer peer(one.port(), {.talk = [end = over.get_future().share()](tls_peer&, SSL*) { end.wait(); }});
  CHECK_FALSE(one.serve(
      [&](ssl_client& client) {
        error_code error;
        client.write(std::string(16 << 20, 'x'), error);
        CHECK(error == waiter::error::timed_out);
      },
      100ms));
  over.set_value();
}

TEST_CASE("16 MB go through, each way, byte for byte") {
  server one;
  std::string much(16 << 20, '\0');
  unsigned random = 1;
  for (char& byte : much) byte = static_cast<char>((random = random * 1103515245u + 12345u) >> 24);
  tls_peer peer(one.port(), {.talk = [&much](tls_peer& self, SSL* ssl) {
                  send(ssl, much);
                  ::SSL_shutdown(ssl);
                  self.read_all(ssl);
                }});
  std::string got;
  CHECK_FALSE(one.serve([&](ssl_client& client) {
    got = client.read_all(much.size());
    client.write(much);
  }));
  peer.join();
  CHECK((got == much));
  CHECK((peer.text == much));
}

TEST_CASE("a half-close is announced, and the client is still heard") {
  server one;
  std::promise<void> seen;
  tls_peer peer(one.port(), {.talk = [&seen](tls_peer& self, SSL* ssl) {
                  self.read_all(ssl);
                  seen.set_value();
                  send(ssl, "thanks\n");
                }});
  CHECK_FALSE(one.serve([&](ssl_client& client) {
    client.stream() << "all";
    client.shutdown_send();
    seen.get_future().wait();
    CHECK(client.read_line() == "thanks");
  }));
  peer.join();
  CHECK(peer.text == "all");
  CHECK(peer.ended == SSL_ERROR_ZERO_RETURN);
}

TEST_CASE("a descriptor that is given away carries no more TLS, not even its end") {
  server one;
  tls_peer peer(one.port(), {.talk = [](tls_peer& self, SSL* ssl) {
                  self.read_all(ssl);
                  char raw[100];
                  const auto count = ::recv(::SSL_get_fd(ssl), raw, sizeof raw, 0);
                  if (count > 0) self.text.append(raw, static_cast<std::size_t>(count));
                }});
  int fd = -1;
  CHECK_FALSE(one.serve([&](ssl_client& client) {
    fd = client.release();
    CHECK_FALSE(client.is_open());
    CHECK(client.native_ssl() == nullptr);
    error_code error;
    client.write("x", error);
    CHECK(error == waiter::error::not_open);
  }));
  ::close(fd);
  peer.join();
  CHECK(peer.ended != SSL_ERROR_ZERO_RETURN);
  CHECK(peer.text.empty());
}

TEST_CASE("a session is resumed on a later connection, in either version, also where a certificate is asked for") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto mode = GENERATE(verify::none, verify::request);
  auto settings = good();
  settings.ca_file = files().certificate;
  settings.verify_mode = mode;
  server one(settings);
  session_pointer session;
  for (const bool second : {false, true}) {
    CAPTURE(version, second);
    tls_peer peer(one.port(), {.configure = [version](SSL_CTX* context) { trust_only(context, version); },
                               .prepare =
                                   [&](SSL* ssl) {
                                     if (second) ::SSL_set_session(ssl, session.get());
                                   },
                               .talk =
                                   [&](tls_peer& self, SSL* ssl) {
                                     self.read_all(ssl);
                                     self.resumed = ::SSL_session_reused(ssl) == 1;
                                     session.reset(::SSL_get1_session(ssl));
                                     ::SSL_shutdown(ssl);
                                   }});
    CHECK_FALSE(one.serve([](ssl_client& client) { client.write("hello"); }));
    peer.join();
    CHECK(peer.text == "hello");
    CHECK(peer.resumed == second);
  }
}

TEST_CASE("of the protocols that both know the server's best is chosen; who knows none is refused; who does not ask is served") {
  auto settings = good();
  settings.alpn = {"h2", "http/1.1"};
  server one(settings);
  struct row {
    const char* what;
    std::string offered;
    std::string chosen;
    bool served;
  };
  const row table[] = {
      {"both, the worse first", "\x08http/1.1\x02h2", "h2", true},
      {"the worse alone", "\x08http/1.1", "http/1.1", true},
      {"neither", "\x03imp", "", false},
      {"no question", "", "", true},
  };
  for (const auto& row : table) {
    INFO(row.what);
    tls_peer peer(one.port(), {.prepare =
                                   [&](SSL* ssl) {
                                     ::SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(row.offered.data()),
                                                           static_cast<unsigned>(row.offered.size()));
                                   },
                               .talk =
                                   [](tls_peer& self, SSL* ssl) {
                                     const unsigned char* chosen = nullptr;
                                     unsigned length = 0;
                                     ::SSL_get0_alpn_selected(ssl, &chosen, &length);
                                     self.protocol.assign(reinterpret_cast<const char*>(chosen), length);
                                     self.read_all(ssl);
                                   }});
    const auto reason = one.serve();
    peer.join();
    CHECK(reason.has_value() != row.served);
    CHECK(peer.protocol == row.chosen);
    if (!row.served) CHECK(reason == "TLS handshake: no application protocol");
  }
}

TEST_CASE("clients' certificates: none wanted, wanted if there is one, required") {
  struct row {
    verify mode;
    std::string certificate, key;
    std::string reason;
    bool known;
  };
  const auto& all = files();
  const std::string unsigned_by_us = "TLS handshake: certificate verify failed";
  const row table[] = {
      {verify::none, "", "", "", false},
      {verify::none, all.other_certificate, all.other_key, "", false},
      {verify::request, "", "", "", false},
      {verify::request, all.certificate, all.key, "", true},
      {verify::request, all.other_certificate, all.other_key, unsigned_by_us, false},
      {verify::require, "", "", "TLS handshake: peer did not return a certificate", false},
      {verify::require, all.certificate, all.key, "", true},
      {verify::require, all.other_certificate, all.other_key, unsigned_by_us, false},
  };
  for (const auto& row : table) {
    CAPTURE(static_cast<int>(row.mode), row.certificate);
    auto settings = good();
    settings.ca_file = files().certificate;
    settings.verify_mode = row.mode;
    server one(settings);
    tls_peer peer(one.port(), {.configure =
                                   [&](SSL_CTX* context) {
                                     if (row.certificate.empty()) return;
                                     ::SSL_CTX_use_certificate_file(context, row.certificate.c_str(), SSL_FILETYPE_PEM);
                                     ::SSL_CTX_use_PrivateKey_file(context, row.key.c_str(), SSL_FILETYPE_PEM);
                                   },
                               .talk = [](tls_peer& self, SSL* ssl) { self.read_all(ssl); }});
    bool known = false;
    const auto reason = one.serve([&](ssl_client& client) {
      X509* const shown = ::SSL_get1_peer_certificate(client.native_ssl());
      known = shown != nullptr;
      ::X509_free(shown);
    });
    peer.join();
    CHECK(reason.value_or("") == row.reason);
    CHECK(known == row.known);
  }
}

TEST_CASE("a client of a version that is not offered is refused in words") {
  auto settings = good();
  settings.min_version = tls_version::v1_3;
  server one(settings);
  tls_peer peer(one.port(), {.configure = [](SSL_CTX* context) { trust_only(context, TLS1_2_VERSION); }});
  CHECK(one.serve() == "TLS handshake: unsupported protocol");
  CHECK_FALSE(peer.join().shaken);
}

TEST_CASE("hooks run while a handshake waits, and it goes on") {
  struct hooks {
    std::promise<void> ran;
    int times = 0;
    bool may_run_signal_hooks() const { return true; }
    void run_signal_hooks() {
      waiter::system::mailbox.look();
      if (waiter::system::mailbox.take(waiter::system::notice::usr1) != 0 && times++ == 0) ran.set_value();
    }
  } server_hooks;
  waiter::system::signal_handlers signals;
  error_code error;
  signals.take(error);
  REQUIRE_FALSE(error);
  server one;
  // The client says nothing before the hook has run.
  tls_peer peer(one.port(), {.prepare = [ran = server_hooks.ran.get_future().share()](SSL*) { ran.wait(); },
                             .talk = [](tls_peer& self, SSL* ssl) { self.read_all(ssl); }});
  ssl_client client = one.transport.welcome(one.accept(10000ms, waiter::system::safe_point(server_hooks)));
  ::raise(SIGUSR1);
  CHECK_FALSE(one.transport.handshake(client));
  client.write("served");
  one.transport.finish(client);
  client.close();
  peer.join();
  CHECK(server_hooks.times == 1);
  CHECK(peer.text == "served");
  waiter::system::mailbox.forget();
}

TEST_CASE("a TLS client that is gone raises no SIGPIPE") {
  struct sigaction standard {
  }, before{};
  standard.sa_handler = SIG_DFL;
  server one;
  {
    tls_peer peer(one.port(), {.talk = [](tls_peer&, SSL* ssl) {
                    const linger at_once{1, 0};
                    ::setsockopt(::SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
                    ::SSL_set_quiet_shutdown(ssl, 1);
                  }});
    ::sigaction(SIGPIPE, &standard, &before);
    CHECK_FALSE(one.serve([&](ssl_client& client) {
      peer.join();
      error_code error;
      for (int i = 0; i < 3; ++i) client.write("x", error);
      CHECK(error);
    }));
    ::sigaction(SIGPIPE, &before, nullptr);
  }
}
