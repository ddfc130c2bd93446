// Group S: signals to the parent and to its kids; row S1 stands in s1_time_to_stop.cpp.
#include "conformance/every_hook.hpp"

#include <algorithm>

using namespace conformance;

namespace {

const flags two_kids{"--prefork=2", "--maxfork=2"};

struct named_signal {
  int number;
  std::string name;
};

std::ostream& operator<<(std::ostream& out, const named_signal& which) { return out << which.name; }

}  // namespace

TEST_CASE("S2: a stop signal is never lost, whenever it comes", "[S2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string moment = GENERATE(as<std::string>{}, "on_server_begin", "on_listen_ok", "on_child_start", "on_accept_ok");
  CAPTURE(policy, moment);
  every_hook server{policy, flags{"--timeout=3600"} + (policy == "prefork" ? two_kids : flags{})};
  if (moment == "on_accept_ok" || (moment == "on_child_start" && policy != "prefork")) client{server.port()}.half_close();
  server.trace().wait_for({.hook = moment});
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEST_CASE("S3: HUP, USR1 and USR2 call the parent's hook each time, and the kids hear nothing", "[S3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const auto which = GENERATE(named_signal{SIGHUP, "hup"}, named_signal{SIGUSR1, "usr1"}, named_signal{SIGUSR2, "usr2"});
  CAPTURE(policy, which);
  every_hook server{policy, hold + (policy == "prefork" ? two_kids : flags{})};
  server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  auto held = hold_one(server);
  for (std::size_t n = 1; n <= 3; ++n) {
    server.signal(which.number);
    CHECK(server.trace().wait_for({.hook = "on_sig_" + which.name, .nth = n}).pid == server.pid());
  }
  CHECK(server.trace().quiet({.hook = "on_child_sig_" + which.name}, 300ms));
  CHECK(server.trace().count({.hook = "on_child_sig_" + which.name}) == 0);
  CHECK(server.trace().count({.hook = "on_sig_" + which.name}) == 3);
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("S4: with prop_sigusr USR1 and USR2 go on to every kid, after the parent's own hook", "[S4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  const auto which = GENERATE(named_signal{SIGUSR1, "usr1"}, named_signal{SIGUSR2, "usr2"});
  CAPTURE(policy, which);
  every_hook server{policy, hold + flags{"--prop-sigusr"} + (policy == "prefork" ? two_kids : flags{})};
  if (policy == "prefork") server.wait_for_kids(2);
  auto first = hold_one(server);
  auto second = hold_one(server);
  server.signal(which.number);
  const auto own = server.trace().wait_for({.hook = "on_sig_" + which.name});
  CHECK(own.pid == server.pid());
  for (const pid_t kid : {first.by, second.by}) {
    CHECK(server.trace().wait_for({.hook = "on_child_sig_" + which.name, .pid = kid}).at >= own.at);
  }
  const auto& lines = server.trace().lines();
  const auto place_of = [&](const std::string& hook) {
    return std::find_if(lines.begin(), lines.end(), [&](const trace_line& line) { return line.hook == hook; });
  };
  CHECK(place_of("on_sig_" + which.name) < place_of("on_child_sig_" + which.name));
  CHECK(first.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_child_sig_" + which.name}) == 2);
}

TEST_CASE("S4: with prop_sigusr idle preforked kids hear it too", "[S4]") {
  every_hook server{"prefork", two_kids + flags{"--prop-sigusr"}};
  server.wait_for_kids(2);
  server.signal(SIGUSR1);
  for (const pid_t kid : server.kids()) server.trace().wait_for({.hook = "on_child_sig_usr1", .pid = kid});
  CHECK(server.stop() == 0);
}

TEST_CASE("S4: HUP is never propagated", "[S4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + flags{"--prop-sigusr"} + (policy == "prefork" ? two_kids : flags{})};
  auto held = hold_one(server);
  server.signal(SIGHUP);
  server.trace().wait_for({.hook = "on_sig_hup"});
  CHECK(server.trace().quiet({.hook = "on_child_sig_hup"}, 500ms));
  CHECK(server.trace().count({.hook = "on_child_sig_hup"}) == 0);
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("S5: a kid that waits for its client hears a signal at once, and goes on with its client", "[S5]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  const auto which = GENERATE(named_signal{SIGHUP, "hup"}, named_signal{SIGUSR1, "usr1"}, named_signal{SIGUSR2, "usr2"});
  CAPTURE(policy, which);
  every_hook server{policy, hold + (policy == "prefork" ? two_kids : flags{})};
  auto held = hold_one(server);
  ::kill(held.by, which.number);
  // The client is silent, so only the signal can have ended the wait.
  const auto heard = server.trace().wait_for({.hook = "on_child_sig_" + which.name, .pid = held.by}, 3000ms);
  CHECK(heard.number("is_child") == 1);
  CHECK(server.trace().count({.hook = "on_close"}) == 0);
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("S5: an idle preforked kid hears a signal at once", "[S5]") {
  const auto which = GENERATE(named_signal{SIGHUP, "hup"}, named_signal{SIGUSR1, "usr1"}, named_signal{SIGUSR2, "usr2"});
  CAPTURE(which);
  every_hook server{"prefork", two_kids + flags{"--timeout=60"}};
  server.wait_for_kids(2);
  const pid_t kid = *server.kids().begin();
  ::kill(kid, which.number);
  server.trace().wait_for({.hook = "on_child_sig_" + which.name, .pid = kid}, 3000ms);
  CHECK(server.trace().quiet({.hook = "on_child_exit"}, 300ms));
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_child_sig_" + which.name}) == 1);
  CHECK(server.trace().count({.hook = "on_prefork_child_idle"}) == 0);
}

TEST_CASE("S6: a busy preforked kid told SIGTERM ends after its client, and is replaced", "[S6]") {
  every_hook server{"prefork", hold + two_kids};
  server.wait_for_kids(2);
  auto held = hold_one(server);
  ::kill(held.by, SIGTERM);
  CHECK(server.trace().quiet({.hook = "on_child_exit"}, 500ms));
  CHECK(held.release() == answer("held\n"));
  const auto died = server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(died.number("pid") == held.by);
  CHECK(died.number("status") == 0);
  CHECK(server.trace().sequence(held.by) == "child_start accept_ok process close child_exit");
  server.wait_for_kids(3);
  CHECK(server.kids().size() == 2);
  CHECK(server.stop() == 0);
}

TEST_CASE("S6: an idle preforked kid told SIGTERM ends at once, and is replaced", "[S6]") {
  every_hook server{"prefork", two_kids + flags{"--timeout=60"}};
  server.wait_for_kids(2);
  const pid_t kid = *server.kids().begin();
  ::kill(kid, SIGTERM);
  const auto died = server.trace().wait_for({.hook = "on_sig_child"}, 3000ms);
  CHECK(died.number("pid") == kid);
  CHECK(died.number("status") == 0);
  CHECK(server.trace().sequence(kid) == "child_start child_exit");
  server.wait_for_kids(3);
  CHECK(server.stop() == 0);
}

TEST_CASE("S7: a busy forking kid told SIGTERM finishes its client", "[S7]") {
  every_hook server{"forking", hold};
  auto held = hold_one(server);
  ::kill(held.by, SIGTERM);
  CHECK(server.trace().quiet({.hook = "on_close"}, 500ms));
  CHECK(held.release() == answer("held\n"));
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 0);
  CHECK(server.trace().sequence(held.by) == "child_start process close child_exit");
  CHECK(server.stop() == 0);
}

TEST_CASE("S8: signals neither bring an idle tick nor put it off", "[S8]") {
  every_hook server{"forking", {"--timeout=2"}};
  const auto begun = server.trace().wait_for({.hook = "on_listen_ok"}).at;
  for (std::size_t n = 1; n <= 5; ++n) {
    server.signal(SIGHUP);
    server.trace().wait_for({.hook = "on_sig_hup", .nth = n});
    server.trace().quiet({.hook = "on_forking_idle"}, 250ms);
  }
  const auto tick = server.trace().wait_for({.hook = "on_forking_idle"}).at - begun;
  CHECK(tick >= 1950);
  CHECK(tick <= 3100);
  CHECK(server.stop() == 0);
}

TEST_CASE("S9: propagate_signal takes names with and without SIG, and numbers", "[S9]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  const std::string name = GENERATE(as<std::string>{}, "USR1", "SIGUSR1", "10");
  CAPTURE(policy, name);
  every_hook server{policy, hold + flags{"--propagate=" + name} + (policy == "prefork" ? two_kids : flags{})};
  if (policy == "prefork") server.wait_for_kids(2);
  auto first = hold_one(server);
  auto second = hold_one(server);
  server.signal(SIGHUP);
  CHECK(server.trace().wait_for({.hook = "on_sig_hup"}).text("error") == "Success");
  for (const pid_t kid : {first.by, second.by}) server.trace().wait_for({.hook = "on_child_sig_usr1", .pid = kid});
  CHECK(server.trace().count({.hook = "on_sig_usr1"}) == 0);
  CHECK(first.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("S9: propagate_signal returns an error for a name that is none, and nobody dies", "[S9]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string name = GENERATE(as<std::string>{}, "NOSUCH", "usr1x", "999");
  CAPTURE(policy, name);
  every_hook server{policy, hold + flags{"--propagate=" + name} + (policy == "prefork" ? two_kids : flags{})};
  auto held = hold_one(server);
  server.signal(SIGHUP);
  CHECK(server.trace().wait_for({.hook = "on_sig_hup"}).text("error") != "Success");
  CHECK(server.trace().count({.hook = "on_sig_child"}) == 0);
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("S10: a signal hook never runs inside another hook", "[S10]") {
  // The server sleeps inside on_process, which is no safe point; nofork has but one process for both.
  every_hook server{"nofork", {"--process=sleep=1"}};
  client one{server.port()};
  server.trace().wait_for({.hook = "on_process"});
  server.signal(SIGUSR1);
  CHECK(one.read_all() == answer("slept\n"));
  server.trace().wait_for({.hook = "on_sig_usr1"});
  CHECK(server.stop() == 0);
}
