// Group B: run(), from the first hook to its value.
#include "conformance/every_hook.hpp"

#include <fstream>

using namespace conformance;

namespace {

std::string port_flag(std::uint16_t port) { return "--port=" + std::to_string(port); }

bool has_ipv6_loopback() {
  try {
    const occupied_port probe{"::1"};
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

TEST_CASE("B1: a port in use ends run() with 100 after on_server_begin, and leaves nothing behind", "[B1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string address = GENERATE(as<std::string>{}, "0.0.0.0", "127.0.0.1");
  CAPTURE(policy, address);
  const occupied_port taken{address};
  const auto objects = ipc_objects();
  every_hook server{policy, {port_flag(taken.number())}};
  CHECK(server.wait() == 100);
  CHECK(server.parent_sequence() == "server_begin");
  CHECK(server.trace().pids().size() == 1);
  CHECK(ipc_objects() == objects);
}

TEST_CASE("B2: a port below 1024 is 100 without the privilege", "[B2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  int first_free_for_all = 1024;
  std::ifstream{"/proc/sys/net/ipv4/ip_unprivileged_port_start"} >> first_free_for_all;
  if (first_free_for_all < 1024) WAITER_SKIP("this machine gives low ports to everybody");
  launch surroundings;
  surroundings.no_low_ports = true;
  every_hook server{policy, {"--port=1023"}, surroundings};
  CHECK(server.wait() == 100);
  CHECK(server.parent_sequence() == "server_begin");
}

TEST_CASE("B4: SIGTERM ends run() in order, with 0, and on_server_close is the last hook", "[B4]") {
  struct expectation {
    std::string policy;
    std::string sequence;
  };
  const auto expected = GENERATE(
      expectation{"nofork", "server_begin listen_ok server_close"}, expectation{"forking", "server_begin listen_ok server_close"},
      expectation{"prefork", "server_begin listen_ok fork_ok fork_ok sig_child sig_child server_close"});
  CAPTURE(expected.policy);
  every_hook server{expected.policy, expected.policy == "prefork" ? flags{"--prefork=2", "--maxfork=2"} : flags{}};
  server.port();
  if (expected.policy == "prefork") server.wait_for_kids(2);
  CHECK(server.stop() == 0);
  CHECK(server.parent_sequence() == expected.sequence);
  CHECK(server.trace().lines().back().hook == "on_server_close");
}

TEST_CASE("B4: the parent of a served client ends in order too", "[B4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = policy == "prefork" ? "on_close" : policy == "forking" ? "on_sig_child" : "on_child_exit"});
  CHECK(server.stop() == 0);
  CHECK(server.trace().lines().back().hook == "on_server_close");
}

TEST_CASE("B5: a second run() of the same object works", "[B5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--runs=2"}};
  CHECK(visit(server) == hello);
  server.signal(SIGTERM);
  const auto again = server.trace().wait_for({.hook = "on_listen_ok", .nth = 2});
  CHECK(client{static_cast<std::uint16_t>(again.number("port"))}.read_all() == hello);
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_server_begin"}) == 2);
  CHECK(server.trace().count({.hook = "on_server_close"}) == 2);
  CHECK(server.trace().lines().back().hook == "on_server_close");
}

TEST_CASE("B6: the port is free again once run() has ended", "[B6]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook first{policy};
  const auto port = first.port();
  CHECK(visit(first) == hello);
  CHECK(first.stop() == 0);
  every_hook second{policy, {port_flag(port)}};
  CHECK(second.port() == port);
  CHECK(visit(second) == hello);
  CHECK(second.stop() == 0);
}

TEST_CASE("B7: it listens on all of IPv4 unless told otherwise", "[B7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy};
  CHECK(client{server.port(), "127.0.0.1"}.read_all() == hello);
  CHECK(client{server.port(), "127.0.0.2"}.read_all() == hello);
  if (has_ipv6_loopback()) CHECK(client{server.port(), "::1"}.read_all() == reply{"", outcome::refused});
  CHECK(server.stop() == 0);
}

TEST_CASE("B7: it listens at the address it was given, and nowhere else", "[B7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--address=127.0.0.2"}};
  CHECK(client{server.port(), "127.0.0.2"}.read_all() == hello);
  CHECK(client{server.port(), "127.0.0.1"}.read_all() == reply{"", outcome::refused});
  CHECK(server.stop() == 0);
}

TEST_CASE("B7: it listens on IPv6", "[B7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string address = GENERATE(as<std::string>{}, "::1", "::");
  CAPTURE(policy, address);
  if (!has_ipv6_loopback()) WAITER_SKIP("no IPv6 here");
  every_hook server{policy, {"--address=" + address}};
  CHECK(client{server.port(), "::1"}.read_all() == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("B8: an address that is none ends run() with 100 or is refused with a sentence", "[B8]") {
  every_hook server{"forking", {"--address=nowhere at all"}};
  CHECK(server.wait() > 0);
  CHECK(server.trace().count({.hook = "on_listen_ok"}) == 0);
}
