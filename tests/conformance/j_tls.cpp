// Group J: the ssl transport.
#include "conformance/every_hook.hpp"
#include "support/tls_client.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <future>

using namespace conformance;

namespace {

const flags ssl{"--transport=ssl"};
const flags two_kids{"--prefork=2", "--maxfork=2"};

flags sized(const std::string& policy) { return policy == "prefork" ? two_kids : flags{}; }

reply tls_visit(every_hook& server, const tls_settings& settings = {}) {
  tls_client visitor{server.port(), settings};
  return visitor.read_all();
}

/// What the process that serves writes for one client, from its own first hook on.
std::string served_with(const std::string& policy, const std::string& middle) {
  if (policy == "nofork") return "server_begin listen_ok accept_ok child_start " + middle + " close child_exit";
  if (policy == "forking") return "child_start " + middle + " close child_exit";
  return "child_start accept_ok " + middle + " close";
}

std::string last_hook_of_a_client(const std::string& policy) { return policy == "prefork" ? "on_close" : "on_child_exit"; }

}  // namespace

TEST_CASE("J1: three TLS clients at once are answered, with the hooks of plain", "[J1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const auto version = GENERATE(tls_version::tls_1_2, tls_version::tls_1_3);
  const std::string version_name = version == tls_version::tls_1_2 ? "TLSv1.2" : "TLSv1.3";
  CAPTURE(policy, version_name);
  const temp_directory directory;
  make_certificate(directory / "cert.pem", directory / "key.pem");
  every_hook server{
      policy,
      ssl + sized(policy) + flags{"--cert=" + (directory / "cert.pem").string(), "--key=" + (directory / "key.pem").string()}};
  const auto port = server.port();
  std::vector<std::future<reply>> replies;
  for (int n = 0; n < 3; ++n) {
    replies.push_back(std::async(std::launch::async, [port, version] {
      tls_client visitor{port, {.version = version}};
      return visitor.read_all();
    }));
  }
  for (auto& one : replies) CHECK(one.get() == hello);
  tls_client fourth{server.port(), {.version = version}};
  CHECK(fourth.version() == version_name);
  CHECK(fourth.read_all() == hello);
  server.trace().wait_for({.hook = last_hook_of_a_client(policy), .nth = 4});
  if (policy == "forking") server.trace().wait_for({.hook = "on_sig_child", .nth = 4});
  CHECK(server.trace().count({.hook = "on_ssl_error"}) == 0);
  const auto line = server.trace().wait_for({.hook = "on_process"});
  CHECK(line.number("ssl") == 1);
  CHECK(server.trace().sequence(line.pid).starts_with(served_with(policy, "process")));
  CHECK(server.stop() == 0);
  for (const auto& died : server.trace().all({.hook = "on_sig_child"})) CHECK(died.number("status") == 0);
}

TEST_CASE("J1: ssl_in_use is true with ssl and false with plain", "[J1]") {
  const std::string transport = GENERATE(as<std::string>{}, "plain", "ssl");
  CAPTURE(transport);
  every_hook server{"forking", {"--transport=" + transport}};
  server.port();
  CHECK(server.stop() == 0);
  for (const auto& line : server.trace().lines()) CHECK(line.number("ssl") == (transport == "ssl" ? 1 : 0));
}

TEST_CASE("J1: a TLS client is talked to in both directions", "[J1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, ssl + hold + sized(policy)};
  tls_client visitor{server.port()};
  REQUIRE(visitor.handshaken());
  CHECK(visitor.ask("go\n") == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("J2: without a certificate or a key to use run() is 100, and the reason is told", "[J2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string fault = GENERATE(as<std::string>{}, "missing cert", "missing key", "bad key", "key of another", "unreadable key");
  CAPTURE(policy, fault);
  const temp_directory directory;
  make_certificate(directory / "cert.pem", directory / "key.pem");
  make_certificate(directory / "other_cert.pem", directory / "other_key.pem");
  std::ofstream{directory / "bad.pem"} << "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n";
  auto cert = directory / "cert.pem";
  auto key = directory / "key.pem";
  if (fault == "missing cert") cert = directory / "absent.pem";
  if (fault == "missing key") key = directory / "absent.pem";
  if (fault == "bad key") key = directory / "bad.pem";
  if (fault == "key of another") key = directory / "other_key.pem";
  if (fault == "unreadable key") key = directory.path();  // a directory: root reads everything else
  every_hook server{policy, ssl + flags{"--cert=" + cert.string(), "--key=" + key.string()}};
  CHECK(server.wait() == 100);
  CHECK(server.parent_sequence() == "server_begin");
  const auto reason = server.output();
  CHECK(std::count(reason.begin(), reason.end(), '\n') == 1);
  CHECK(reason.find("not listening: ") != std::string::npos);
  CHECK(reason.find((fault == "missing cert" ? cert : key).string()) != std::string::npos);
}

TEST_CASE("J3: a plain-text client on the TLS port is told to on_ssl_error and closed, and the server lives", "[J3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, ssl + sized(policy)};
  client plain{server.port()};
  plain.send("GET / HTTP/1.0\r\n\r\n");
  const auto got = plain.read_all();
  CHECK(got.how != outcome::timed_out);
  CHECK(got.text.find("hello") == std::string::npos);
  const auto line = server.trace().wait_for({.hook = "on_ssl_error"});
  CHECK_FALSE(line.text("error").empty());
  server.trace().wait_for({.hook = last_hook_of_a_client(policy), .pid = line.pid});
  CHECK(server.trace().sequence(line.pid) == served_with(policy, "ssl_error"));
  if (policy == "forking") {
    server.trace().wait_for({.hook = "on_sig_child"});
    CHECK(server.parent_sequence() == "server_begin listen_ok accept_ok fork_ok sig_child");
  }
  CHECK(tls_visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("J4: a client that closes or resets in its handshake costs nobody else anything", "[J4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string how = GENERATE(as<std::string>{}, "close", "reset", "half a hello, then reset");
  CAPTURE(policy, how);
  every_hook server{policy, ssl + sized(policy)};
  for (int turn = 0; turn < 3; ++turn) {
    client leaves{server.port()};
    if (how == "half a hello, then reset") leaves.send({"\x16\x03\x01\x02\x00\x01\x00", 7});
    if (how == "close") {
      leaves.close();
    } else {
      leaves.reset();
    }
  }
  CHECK(tls_visit(server) == hello);
  CHECK(server.stop() == 0);
  for (const auto& died : server.trace().all({.hook = "on_sig_child"})) CHECK(died.number("status") == 0);
}

TEST_CASE("J5: a silent TLS client does not keep the next from being served at once", "[J5]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, ssl + sized(policy) + flags{"--handshake-timeout=60"}};
  if (policy == "prefork") server.wait_for_kids(2);
  client silent{server.port()};
  server.trace().wait_for({.hook = "on_accept_ok"});
  const stopwatch since;
  CHECK(tls_visit(server) == hello);
  CHECK(since.elapsed() < 5000ms);
  CHECK(server.trace().count({.hook = "on_ssl_error"}) == 0);
  silent.close();
  server.trace().wait_for({.hook = "on_ssl_error"});
  CHECK(server.stop() == 0);
}

TEST_CASE("J5: a handshake has a deadline of its own", "[J5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, ssl + sized(policy) + flags{"--handshake-timeout=1"}};
  client silent{server.port()};
  const auto accepted = server.trace().wait_for({.hook = "on_accept_ok"});
  const auto got = silent.read_all();
  CHECK(got.how != outcome::timed_out);
  const auto told = server.trace().wait_for({.hook = "on_ssl_error"});
  CHECK(told.at - accepted.at >= 950);
  CHECK(told.at - accepted.at < 4000);
  CHECK_FALSE(told.text("error").empty());
  CHECK(tls_visit(server) == hello);
  CHECK(server.trace().count({.hook = "on_process"}) == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("J5: the deadline holds for a client that sends its hello drop by drop", "[J5]") {
  every_hook server{"forking", ssl + flags{"--handshake-timeout=1"}};
  client slow{server.port()};
  const auto accepted = server.trace().wait_for({.hook = "on_accept_ok"});
  const std::string hello_begun{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11};
  for (std::size_t n = 0; n < hello_begun.size() && server.trace().quiet({.hook = "on_ssl_error"}, 200ms); ++n) {
    slow.send(hello_begun.substr(n, 1));
  }
  CHECK(server.trace().wait_for({.hook = "on_ssl_error"}).at - accepted.at < 4000);
  CHECK(server.stop() == 0);
}

TEST_CASE("J5: without a word about it a handshake has a deadline too", "[J5]") {
  every_hook server{"forking", ssl + flags{"--timeout=1"}};
  client silent{server.port()};
  CHECK(silent.read_all().how != outcome::timed_out);
  server.trace().wait_for({.hook = "on_ssl_error"});
  CHECK(server.stop() == 0);
}

TEST_CASE("J5: silent clients count as busy, so the pool grows", "[J5]") {
  every_hook server{"prefork", ssl + flags{"--prefork=2", "--maxfork=6", "--handshake-timeout=60"}};
  server.wait_for_kids(2);
  std::vector<client> silent;
  for (std::size_t n = 1; n <= 4; ++n) {
    silent.emplace_back(server.port());
    server.trace().wait_for({.hook = "on_accept_ok", .nth = n});
  }
  CHECK(tls_visit(server) == hello);
  CHECK(server.trace().count({.hook = "on_fork_ok"}) > 2);
  silent.clear();
  server.trace().wait_for({.hook = "on_ssl_error", .nth = 4});
  CHECK(server.stop() == 0);
}

TEST_CASE("J5: of more clients than max_handshakes the one that has been in its handshake for longest gives way", "[J5]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, ssl + flags{"--prefork=4", "--maxfork=8", "--max-handshakes=2", "--handshake-timeout=60"}};
  if (policy == "prefork") server.wait_for_kids(4);
  std::deque<client> silent;
  for (std::size_t n = 1; n <= 2; ++n) {
    silent.emplace_back(server.port());
    server.trace().wait_for({.hook = "on_accept_ok", .nth = n});
  }
  CHECK(server.trace().quiet({.hook = "on_ssl_error"}, 200ms));
  for (std::size_t round = 1; round <= 3; ++round) {
    silent.emplace_back(server.port());
    // It took the place of the first, which is closed at once; the others stay.
    const auto got = silent.front().read_all();
    CHECK(got.text.empty());
    CHECK(got.how != outcome::timed_out);
    const auto cut = server.trace().wait_for({.hook = "on_ssl_error", .nth = round});
    server.trace().wait_for({.hook = "on_close", .pid = cut.pid});
    silent.pop_front();
    CHECK(server.trace().quiet({.hook = "on_ssl_error", .nth = round + 1}, 100ms));
  }
  // Who means it is served, though all places are taken.
  CHECK(tls_visit(server) == hello);
  silent.clear();
  CHECK(server.stop() == 0);
}

TEST_CASE("J6: on_accept_ok comes before any handshake", "[J6]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, ssl + sized(policy) + flags{"--handshake-timeout=60"}};
  client silent{server.port()};
  const auto line = server.trace().wait_for({.hook = "on_accept_ok"});
  CHECK((line.pid == server.pid()) == (policy != "prefork"));
  silent.close();
  CHECK(server.stop() == 0);
}

TEST_CASE("J7: over maxfork nobody writes plain text on a TLS port", "[J7]") {
  every_hook server{"forking", ssl + hold + flags{"--maxfork=1"}};
  tls_client first{server.port()};
  REQUIRE(first.handshaken());
  server.trace().wait_for({.hook = "on_process"});
  client second{server.port()};
  const auto got = second.read_all();
  CHECK(got.text.empty());
  CHECK(got.how != outcome::timed_out);
  server.trace().wait_for({.hook = "on_close", .pid = server.pid()});
  CHECK(server.parent_sequence() == "server_begin listen_ok accept_ok fork_ok accept_ok maxforked close");
  CHECK(first.ask("go\n") == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("J8: verify_mode asks for the client's certificate", "[J8]") {
  const temp_directory directory;
  make_certificate(directory / "cert.pem", directory / "key.pem");
  make_certificate(directory / "client.pem", directory / "client_key.pem");
  every_hook server{"forking",
                    ssl + flags{"--cert=" + (directory / "cert.pem").string(), "--key=" + (directory / "key.pem").string(),
                                "--ca=" + (directory / "client.pem").string(), "--verify=require"}};
  tls_client nobody{server.port()};
  CHECK(nobody.read_all().text.empty());
  server.trace().wait_for({.hook = "on_ssl_error"});
  tls_client known{server.port(), {.certificate = directory / "client.pem", .key = directory / "client_key.pem"}};
  CHECK(known.read_all() == hello);
  CHECK(server.trace().count({.hook = "on_process"}) == 1);
  CHECK(server.stop() == 0);
}
