// Group R: reload() and the replacement of kids, as a handler sees them. What happens under load is in tests/faults.
#include "conformance/every_hook.hpp"
#include "support/tls_client.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace conformance;

namespace {

const flags on_hup{"--reload-on-hup"};

flags sized(const std::string& policy) { return policy == "prefork" ? flags{"--prefork=2", "--maxfork=2"} : flags{}; }

/// Waits until a pool has none of these kids, and as many others; other policies have nobody to replace.
bool replaced(every_hook& server, const std::string& policy, const std::set<pid_t>& before) {
  if (policy != "prefork") return true;
  return eventually([&] {
    const auto now = server.kids();
    return now.size() == before.size() && std::none_of(now.begin(), now.end(), [&](pid_t one) { return before.contains(one); });
  });
}

/// SIGHUP, and the reload is done.
void reload(every_hook& server, const std::string& policy) {
  const auto before = server.kids();
  const auto times = server.trace().count({.hook = "on_reload"});
  server.signal(SIGHUP);
  server.trace().wait_for({.hook = "on_reload", .nth = times + 1});
  REQUIRE(replaced(server, policy, before));
}

std::string fingerprint_of(every_hook& server) {
  tls_client visitor{server.port()};
  auto shown = visitor.fingerprint();
  CHECK(visitor.read_all() == hello);
  return shown;
}

}  // namespace

TEST_CASE("R1: reload() in on_sig_hup calls on_reload in the listening process, after that hook, once for each", "[R1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, on_hup + sized(policy)};
  if (policy == "prefork") server.wait_for_kids(2);
  for (int time = 0; time < 3; ++time) {
    reload(server, policy);
    CHECK(visit(server) == hello);
  }
  CHECK(server.stop() == 0);
  for (const auto& line : server.trace().all({.hook = "on_reload"})) {
    CHECK(line.pid == server.pid());
    CHECK(line.number("is_child") == 0);
    CHECK(line.number("client_socket") == 0);
  }
  const auto count = [&](const std::string& hook) { return server.trace().count({.hook = hook}); };
  CHECK(count("on_sig_hup") == 3);
  CHECK(count("on_reload") == 3);
}

TEST_CASE("R1: a client in hand is served to its end by what it began with", "[R1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, on_hup + hold + sized(policy)};
  auto held = hold_one(server);
  server.signal(SIGHUP);
  if (policy == "nofork") {
    // Its one process has the client, so the reload has to wait for its end.
    server.trace().wait_for({.hook = "on_sig_hup"});
    CHECK(server.trace().count({.hook = "on_reload"}) == 0);
  } else {
    server.trace().wait_for({.hook = "on_reload"});
    CHECK(client{server.port()}.ask("go\n") == answer("held\n"));
  }
  CHECK(held.release() == answer("held\n"));
  server.trace().wait_for({.hook = "on_reload"});
  CHECK(server.stop() == 0);
}

TEST_CASE("R2: a reload shows a new certificate, and goes on with the old one when the new one is bad", "[R2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const temp_directory directory;
  const auto cert = directory / "cert.pem", key = directory / "key.pem";
  make_certificate(cert, key);
  every_hook server{policy, flags{"--transport=ssl", "--cert=" + cert.string(), "--key=" + key.string()} + on_hup + sized(policy)};
  if (policy == "prefork") server.wait_for_kids(2);
  const auto first = fingerprint_of(server);
  REQUIRE_FALSE(first.empty());
  CHECK(fingerprint_of(server) == first);

  make_certificate(cert, key);
  CHECK(fingerprint_of(server) == first);
  reload(server, policy);
  const auto second = fingerprint_of(server);
  CHECK(second != first);

  // A key that belongs to another certificate.
  make_certificate(directory / "other.pem", key);
  reload(server, policy);
  const auto told = server.trace().wait_for({.hook = "on_ssl_error"});
  CHECK(told.pid == server.pid());
  CHECK(told.text("error").find("does_not_belong_to_the_certificate") != std::string::npos);
  CHECK(fingerprint_of(server) == second);
  CHECK(server.output().find("reload: what the transport has read before stays in use: ") != std::string::npos);

  std::filesystem::remove(cert);
  reload(server, policy);
  CHECK(fingerprint_of(server) == second);
  CHECK(server.trace().count({.hook = "on_ssl_error"}) == 2);

  make_certificate(cert, key);
  reload(server, policy);
  const auto third = fingerprint_of(server);
  CHECK(third != second);
  CHECK(server.trace().count({.hook = "on_ssl_error"}) == 2);
  CHECK(server.stop() == 0);
}

TEST_CASE("R3: an on_reload that throws calls the reload off", "[R3]") {
  every_hook server{"prefork", on_hup + flags{"--throw-in=on_reload"} + sized("prefork")};
  server.wait_for_kids(2);
  const auto before = server.kids();
  server.signal(SIGHUP);
  server.trace().wait_for({.hook = "on_exception"});
  CHECK(visit(server) == hello);
  CHECK(server.kids() == before);
  // It throws the first time only.
  reload(server, "prefork");
  CHECK(server.stop() == 0);
}

TEST_CASE("R4: a kid that has had max_requests clients is replaced, once another one stands ready", "[R4]") {
  every_hook server{"prefork", {"--prefork=1", "--maxfork=1", "--max-requests=3"}};
  server.wait_for_kids(1);
  for (int generation = 0; generation < 3; ++generation) {
    const auto before = server.kids();
    for (int client = 0; client < 3; ++client) CHECK(visit(server) == hello);
    CHECK(replaced(server, "prefork", before));
    CHECK(server.trace().count({.hook = "on_process", .pid = *before.begin()}) == 3);
  }
  CHECK(server.stop() == 0);
  for (const auto& died : server.trace().all({.hook = "on_sig_child"})) CHECK(died.number("status") == 0);
  // The next one was born before the last one was asked to leave.
  const auto lines = server.trace().lines();
  const auto nth = [&](const char* hook, int which) {
    for (std::size_t at = 0; at < lines.size(); ++at)
      if (lines[at].hook == hook && which-- == 0) return at;
    return lines.size();
  };
  for (int which = 0; which < 3; ++which) CHECK(nth("on_fork_ok", which + 1) < nth("on_child_exit", which));
}

TEST_CASE("R4: options of replacement that make no sense are refused with their inequality", "[R4]") {
  const auto [flag, sentence] = GENERATE(table<std::string, std::string>({
      {"--max-requests=-1", "0 <= max_requests does not hold"},
      {"--max-age=0", "0 < max_age does not hold"},
      {"--drain-limit=0", "0 < drain_limit does not hold"},
      {"--max-old-generations=0", "1 <= max_old_generations does not hold"},
  }));
  CAPTURE(flag);
  every_hook server{"prefork", {flag}};
  CHECK(server.wait() == 100);
  CHECK(server.output().find(sentence) != std::string::npos);
}
