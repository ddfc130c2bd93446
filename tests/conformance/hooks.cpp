// One case for each sentence of the table of hooks: who calls it, and when.
#include "conformance/every_hook.hpp"

#include <algorithm>

using namespace conformance;

namespace {

const flags two_kids{"--prefork=2", "--maxfork=2"};

flags sized(const std::string& policy) { return policy == "prefork" ? two_kids : flags{}; }

/// Serves one client and ends; what each process wrote stays readable.
void one_client(every_hook& server, const std::string& policy) {
  if (policy == "prefork") server.wait_for_kids(2);
  visit(server);
  server.trace().wait_for({.hook = policy == "forking" ? "on_sig_child" : "on_close"});
  CHECK(server.stop() == 0);
}

/// Who called the hook: every line of it must agree.
bool only_parent(every_hook& server, const std::string& hook) {
  const auto lines = server.trace().all({.hook = hook});
  return !lines.empty() && std::all_of(lines.begin(), lines.end(), [&](const auto& line) { return line.pid == server.pid(); });
}
bool only_kids(every_hook& server, const std::string& hook) {
  const auto lines = server.trace().all({.hook = hook});
  return !lines.empty() && std::none_of(lines.begin(), lines.end(), [&](const auto& line) { return line.pid == server.pid(); });
}

/// The hook that the same process called right before.
std::string before(every_hook& server, const trace_line& line) {
  std::string result;
  for (const auto& other : server.trace().all({.pid = line.pid})) {
    if (other.whole == line.whole) return result;
    if (!is_idle_hook(other.hook)) result = other.hook;
  }
  return result;
}

}  // namespace

TEST_CASE("on_server_begin is called by the listening process, first of all") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(only_parent(server, "on_server_begin"));
  CHECK(server.trace().lines().front().hook == "on_server_begin");
  CHECK(server.trace().count({.hook = "on_server_begin"}) == 1);
}

TEST_CASE("on_listen_ok is called by the listening process, when clients can connect and nobody is accepted") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(only_parent(server, "on_listen_ok"));
  CHECK(server.trace().lines()[1].hook == "on_listen_ok");
  CHECK(server.trace().count({.hook = "on_listen_ok"}) == 1);
}

TEST_CASE("on_accept_ok is called by the process that accepts: the parent, or with prefork the kid") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(server.trace().count({.hook = "on_accept_ok"}) == 1);
  CHECK((policy == "prefork" ? only_kids(server, "on_accept_ok") : only_parent(server, "on_accept_ok")));
}

TEST_CASE("on_accept_ok is handed a client whose peer is known") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(server.trace().wait_for({.hook = "on_accept_ok"}).text("peer").find("127.0.0.1") != std::string::npos);
}

TEST_CASE("on_maxforked is called by the parent of a forking server only, then on_close") {
  every_hook server{"forking", hold + flags{"--maxfork=1"}};
  auto held = hold_one(server);
  CHECK(visit(server) == refusal);
  const auto closed = server.trace().wait_for({.hook = "on_close", .pid = server.pid()});
  CHECK(before(server, closed) == "on_maxforked");
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
  CHECK(only_parent(server, "on_maxforked"));
}

TEST_CASE("what on_maxforked writes reaches the client") {
  every_hook server{"forking", hold + flags{"--maxfork=1", "--maxforked-text=come back later"}};
  auto held = hold_one(server);
  CHECK(visit(server) == answer("come back later"));
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("on_maxforked is never called without a limit reached, nor by another policy") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + (policy == "prefork" ? flags{"--prefork=1", "--maxfork=1"} : flags{})};
  auto first = hold_one(server);
  client second{server.port()};
  CHECK(server.trace().quiet({.hook = "on_accept_ok"}, 500ms));
  CHECK(first.release() == answer("held\n"));
  CHECK(second.ask("go\n") == answer("held\n"));
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_maxforked"}) == 0);
}

TEST_CASE("on_fork_ok is called by the parent with the pid of a kid that is booked") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(only_parent(server, "on_fork_ok"));
  long booked = 0;
  for (const auto& born : server.trace().all({.hook = "on_fork_ok"})) {
    CHECK(born.number("kids") == ++booked);
    const auto kid = static_cast<pid_t>(born.number("pid"));
    CHECK(server.trace().count({.hook = "on_child_start", .pid = kid}) == 1);
  }
}

TEST_CASE("on_fork_ok always comes before the on_sig_child of the same kid, and each kid has one of both") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy) + flags{"--process=exit=0"}};
  for (int n = 0; n < 40; ++n) visit(server);
  if (policy == "forking") server.trace().wait_for({.hook = "on_sig_child", .nth = 40});
  CHECK(server.stop() == 0);
  std::map<long, int> alive_now;
  for (const auto& line : server.trace().all({.pid = server.pid()})) {
    CAPTURE(line.whole);
    if (line.hook == "on_fork_ok") CHECK(++alive_now[line.number("pid")] == 1);
    if (line.hook == "on_sig_child") CHECK(--alive_now[line.number("pid")] == 0);
  }
  for (const auto& [pid, left] : alive_now) CHECK(left == 0);
}

TEST_CASE("on_child_start is called in the kid, before its work; with nofork for every client") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, policy == "prefork" ? flags{"--prefork=1", "--maxfork=1"} : flags{}};
  for (std::size_t n = 1; n <= 2; ++n) {
    CHECK(visit(server) == hello);
    server.trace().wait_for({.hook = policy == "forking" ? "on_sig_child" : "on_close", .nth = n});
  }
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_child_start"}) == (policy == "prefork" ? 1 : 2));
  for (const auto& line : server.trace().all({.hook = "on_child_start"})) {
    CHECK(before(server, line) == (policy == "nofork" ? "on_accept_ok" : ""));
    CHECK(line.number("is_child") == 1);
  }
}

TEST_CASE("on_process is called in the process that serves, once for each client") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(server.trace().count({.hook = "on_process"}) == 1);
  CHECK((policy == "nofork" ? only_parent(server, "on_process") : only_kids(server, "on_process")));
}

TEST_CASE("on_exception is called where it was thrown") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string hook = GENERATE(as<std::string>{}, "on_process", "on_close", "on_child_exit");
  CAPTURE(policy, hook);
  every_hook server{policy, flags{"--throw-in=" + hook} + (policy == "prefork" ? flags{"--prefork=1", "--maxfork=1"} : flags{})};
  visit(server);
  // A preforked kid stays after its client; its last hook comes when the server ends.
  if (hook == "on_child_exit" && policy == "prefork") {
    CHECK(server.stop() == 0);
    CHECK(before(server, server.trace().wait_for({.hook = "on_exception"})) == hook);
  } else {
    CHECK(before(server, server.trace().wait_for({.hook = "on_exception"})) == hook);
    CHECK(server.stop() == 0);
  }
  CHECK(server.trace().count({.hook = "on_server_close"}) == 1);
}

TEST_CASE("an exception in on_child_start ends the client, after on_close") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking");
  CAPTURE(policy);
  every_hook server{policy, {"--throw-in=on_child_start"}};
  CHECK(visit(server) == reply{"", outcome::end_of_stream});
  const auto last = server.trace().wait_for({.hook = "on_child_exit"});
  CHECK(server.trace().sequence(last.pid).ends_with("child_start exception close child_exit"));
  CHECK(server.trace().count({.hook = "on_process"}) == 0);
  if (policy == "forking") CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 256);
  CHECK(server.stop() == 0);
}

TEST_CASE("a preforked kid whose on_child_start throws leaves with status 1, and is replaced with patience") {
  every_hook server{"prefork", {"--prefork=1", "--maxfork=1", "--throw-in=on_child_start"}};
  const auto died = server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(died.number("status") == 256);
  CHECK(server.trace().sequence(static_cast<pid_t>(died.number("pid"))) == "child_start exception child_exit");
  server.trace().wait_for({.hook = "on_fork_ok", .nth = 4});
  CHECK(server.stop() == 0);
}

TEST_CASE("on_close is called by the process that serves, right after on_process") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(server.trace().count({.hook = "on_close"}) == 1);
  const auto line = server.trace().wait_for({.hook = "on_close"});
  CHECK(before(server, line) == "on_process");
  CHECK(line.pid == server.trace().wait_for({.hook = "on_process"}).pid);
}

TEST_CASE("on_close is called whatever happened to the client") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string fate = GENERATE(as<std::string>{}, "closed", "half closed", "reset", "thrown");
  CAPTURE(policy, fate);
  every_hook server{policy, sized(policy) + (fate == "thrown" ? flags{"--process=throw"} : hold)};
  client one{server.port()};
  if (fate != "thrown") server.trace().wait_for({.hook = "on_process"});
  if (fate == "closed") one.close();
  if (fate == "half closed") one.half_close();
  if (fate == "reset") one.reset();
  const auto worked = server.trace().wait_for({.hook = "on_process"});
  const auto closed = server.trace().wait_for({.hook = "on_close"}, 5000ms);
  CHECK(closed.pid == worked.pid);
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_close"}) == 1);
}

TEST_CASE("on_child_exit is the last hook of a kid; with nofork it ends every client") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  if (policy == "nofork") {
    CHECK(before(server, server.trace().wait_for({.hook = "on_child_exit"})) == "on_close");
  } else {
    for (const auto& born : server.trace().all({.hook = "on_fork_ok"})) {
      CHECK(server.trace().sequence(static_cast<pid_t>(born.number("pid"))).ends_with(" child_exit"));
    }
    CHECK(only_kids(server, "on_child_exit"));
  }
}

TEST_CASE("on_child_exit is not called in a kid that is killed") {
  every_hook server{"forking", hold};
  auto held = hold_one(server);
  ::kill(held.by, SIGKILL);
  server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(server.stop() == 0);
  CHECK(server.trace().sequence(held.by) == "child_start process");
}

TEST_CASE("on_forking_idle is the parent's, with forking and nofork; on_prefork_child_idle is a preforked kid's") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy) + flags{"--timeout=1"}};
  const std::string own = policy == "prefork" ? "on_prefork_child_idle" : "on_forking_idle";
  const std::string other = policy == "prefork" ? "on_forking_idle" : "on_prefork_child_idle";
  server.trace().wait_for({.hook = own, .nth = 2});
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = other}) == 0);
  CHECK((policy == "prefork" ? only_kids(server, own) : only_parent(server, own)));
}

TEST_CASE("an idle hook is not called while clients keep coming, nor for a kid's end") {
  every_hook server{"forking", {"--timeout=60"}};
  for (std::size_t n = 1; n <= 10; ++n) {
    CHECK(visit(server) == hello);
    server.trace().wait_for({.hook = "on_sig_child", .nth = n});
  }
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_forking_idle"}) == 0);
}

TEST_CASE("on_sig_child is called by the parent for a kid of ours, with pid and status") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(only_parent(server, "on_sig_child"));
  for (const auto& died : server.trace().all({.hook = "on_sig_child"})) {
    CHECK(died.number("status") == 0);
    CHECK(server.trace().count({.hook = "on_fork_ok", .values = {{"pid", died.text("pid")}}}) == 1);
  }
}

TEST_CASE("on_sig_child sees the kid no longer counted") {
  every_hook server{"forking", hold};
  auto first = hold_one(server);
  auto second = hold_one(server);
  CHECK(first.release() == answer("held\n"));
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("kids") == 1);
  CHECK(second.release() == answer("held\n"));
  CHECK(server.trace().wait_for({.hook = "on_sig_child", .nth = 2}).number("kids") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("signal hooks of the parent are on_sig_*, those of a kid on_child_sig_*") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy)};
  auto held = hold_one(server);
  for (const auto& [number, name] : {std::pair{SIGHUP, "hup"}, {SIGUSR1, "usr1"}, {SIGUSR2, "usr2"}}) {
    server.signal(number);
    CHECK(server.trace().wait_for({.hook = std::string{"on_sig_"} + name}).pid == server.pid());
    ::kill(held.by, number);
    CHECK(server.trace().wait_for({.hook = std::string{"on_child_sig_"} + name}).pid == held.by);
  }
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("on_server_close is the last hook of run(), in the parent, after the last kid") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(server.trace().count({.hook = "on_server_close"}) == 1);
  const auto& last = server.trace().lines().back();
  CHECK(last.hook == "on_server_close");
  CHECK(last.pid == server.pid());
  CHECK(last.number("kids") == 0);
}

TEST_CASE("on_server_close comes before the listening socket is closed for good") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy)};
  one_client(server, policy);
  CHECK(server.trace().wait_for({.hook = "on_server_close"}).number("server_socket") == 1);
}

TEST_CASE("hooks come in one process at a time: each line of the trace is whole") {
  every_hook server{"forking"};
  std::vector<client> crowd;
  for (int n = 0; n < 40; ++n) crowd.emplace_back(server.port());
  for (auto& one : crowd) CHECK(one.read_all() == hello);
  server.trace().wait_for({.hook = "on_sig_child", .nth = 40});
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_accept_ok"}) == 40);
  CHECK(server.trace().count({.hook = "on_child_exit"}) == 40);
}
