// Group I: what the accessors and the process titles say.
#include "conformance/every_hook.hpp"

#include <algorithm>
#include <regex>
#include <sstream>

using namespace conformance;

namespace {

std::set<pid_t> numbers_in(const std::string& text) {
  std::set<pid_t> result;
  std::istringstream words{text};
  for (std::string word; std::getline(words, word, ',');) result.insert(static_cast<pid_t>(std::stol(word)));
  return result;
}

/// Waits until the title of a process ends in a text that the expression describes.
bool title_becomes(pid_t pid, const std::string& expression) {
  const std::regex wanted{".* \\| " + expression};
  const bool found = eventually([&] { return std::regex_match(title_of(pid), wanted); }, 10000ms);
  if (!found) UNSCOPED_INFO("the title is: " << title_of(pid));
  return found;
}

}  // namespace

TEST_CASE("I1: busy and kids are the same in the parent and in every kid, and live", "[I1]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + (policy == "prefork" ? flags{"--prefork=3", "--maxfork=3"} : flags{})};
  if (policy == "prefork") server.wait_for_kids(3);
  std::vector<held_client> held;
  for (int n = 0; n < 3; ++n) held.push_back(hold_one(server));
  CHECK(census_in(server, server.pid(), SIGHUP, "on_sig_hup") == census{3, 3});
  for (const auto& one : held) CHECK(census_in(server, one.by, SIGUSR1, "on_child_sig_usr1") == census{3, 3});

  CHECK(held.back().release() == answer("held\n"));
  held.pop_back();
  const census after{2, policy == "prefork" ? 3 : 2};
  CHECK(eventually([&] { return census_in(server, server.pid(), SIGHUP, "on_sig_hup") == after; }));
  for (const auto& one : held) {
    CAPTURE(one.by);
    CHECK(eventually([&] { return census_in(server, one.by, SIGUSR1, "on_child_sig_usr1") == after; }));
  }
  for (auto& one : held) CHECK(one.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("I1: a kid counts itself while it serves", "[I1]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, policy == "prefork" ? flags{"--prefork=2", "--maxfork=2"} : flags{}};
  if (policy == "prefork") server.wait_for_kids(2);
  CHECK(visit(server) == hello);
  const auto line = server.trace().wait_for({.hook = "on_process"});
  CHECK(line.number("busy") == 1);
  CHECK(line.number("kids") == (policy == "prefork" ? 2 : 1));
  CHECK(server.stop() == 0);
}

TEST_CASE("I1: an idle server has nobody busy", "[I1]") {
  every_hook server{"prefork", {"--prefork=2", "--maxfork=2"}};
  server.wait_for_kids(2);
  CHECK(eventually([&] { return census_in(server, server.pid(), SIGHUP, "on_sig_hup") == census{0, 2}; }));
  CHECK(visit(server) == hello);
  CHECK(eventually([&] { return census_in(server, server.pid(), SIGHUP, "on_sig_hup") == census{0, 2}; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("I2: get_kid_pids is the exact set in the parent and empty in a kid", "[I2]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + (policy == "prefork" ? flags{"--prefork=2", "--maxfork=2"} : flags{})};
  auto first = hold_one(server);
  auto second = hold_one(server);
  server.signal(SIGHUP);
  CHECK(numbers_in(server.trace().wait_for({.hook = "on_sig_hup"}).text("kid_pids")) == server.kids());
  ::kill(first.by, SIGHUP);
  CHECK(server.trace().wait_for({.hook = "on_child_sig_hup"}).text("kid_pids").empty());
  CHECK(first.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("I3: a preforked kid's title says idle, busy, how many clients, and for how long", "[I3]") {
  every_hook server{"prefork", hold + flags{"--prefork=1", "--maxfork=1", "--timeout=1"}};
  server.wait_for_kids(1);
  const pid_t kid = *server.kids().begin();
  CHECK(title_becomes(kid, "-:( \\[-\\d+\\])?"));
  CHECK(title_becomes(kid, "-: \\[-[1-9]\\d*\\]"));
  for (int served = 1; served <= 3; ++served) {
    CAPTURE(served);
    const auto number = std::to_string(served);
    auto held = hold_one(server);
    CHECK(title_becomes(kid, "\\*:" + number));
    CHECK(held.release() == answer("held\n"));
    CHECK(title_becomes(kid, "-:" + number + " \\[\\d+\\]"));
  }
  CHECK(title_becomes(kid, "-:3 \\[[1-9]\\d*\\]"));
  CHECK(server.stop() == 0);
}

TEST_CASE("I3: a forking kid's title says busy", "[I3]") {
  every_hook server{"forking", hold};
  auto held = hold_one(server);
  CHECK(title_becomes(held.by, "\\*:1?"));
  CHECK(held.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("I3: the parent keeps its title", "[I3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy};
  const auto before = title_of(server.pid());
  CHECK(before.find(every_hook_program().filename().string()) != std::string::npos);
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = policy == "forking" ? "on_sig_child" : "on_close"});
  CHECK(title_of(server.pid()) == before);
  CHECK(server.stop() == 0);
}

TEST_CASE("I3: a name with a bar in it is kept whole in a kid's title", "[I3]") {
  const temp_directory directory;
  const auto name = directory / "every | hook";
  std::filesystem::create_symlink(every_hook_program(), name);
  launch named;
  named.in_front = {"sh", "-c", "shift; exec \"" + name.string() + "\" \"$@\"", "sh"};
  every_hook server{"prefork", {"--prefork=1", "--maxfork=1"}, named};
  server.wait_for_kids(1);
  const pid_t kid = *server.kids().begin();
  REQUIRE(title_becomes(kid, "-:.*"));
  CHECK(title_of(kid).find("every | hook | -:") != std::string::npos);
  CHECK(server.stop() == 0);
}

TEST_CASE("I4: get_parent_pid is the listening process everywhere", "[I4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = "on_close"});
  CHECK(server.stop() == 0);
  for (const auto& line : server.trace().lines()) {
    CAPTURE(line.whole);
    CHECK(line.number("parent") == server.pid());
  }
}

TEST_CASE("I7: is_stopping is true once the process was asked to end, also in a kid that serves, and not before", "[I7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + (policy == "prefork" ? flags{"--prefork=1", "--maxfork=1"} : flags{})};
  auto held = hold_one(server);
  const std::string hook = policy == "nofork" ? "on_sig_usr1" : "on_child_sig_usr1";
  ::kill(held.by, SIGUSR1);
  CHECK(server.trace().wait_for({.hook = hook}).number("stopping") == 0);
  ::kill(held.by, SIGTERM);
  ::kill(held.by, SIGUSR1);
  CHECK(server.trace().wait_for({.hook = hook, .nth = 2}).number("stopping") == 1);
  CHECK(held.release() == answer("held\n"));
  CHECK(server.trace().wait_for({.hook = "on_child_exit"}).number("stopping") == 1);
  if (policy == "nofork") {
    CHECK(server.wait() == 0);
    CHECK(server.trace().lines().back().number("stopping") == 1);
    return;
  }
  // The parent was asked nothing yet.
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("stopping") == 0);
  auto next = hold_one(server);
  CHECK(server.trace().wait_for({.hook = "on_process", .nth = 2}).number("stopping") == 0);
  server.signal(SIGTERM);
  CHECK(eventually([&] {
    const auto before = server.trace().count({.hook = hook});
    ::kill(next.by, SIGUSR1);
    return server.trace().wait_for({.hook = hook, .nth = before + 1}).number("stopping") == 1;
  }));
  CHECK(next.release() == answer("held\n"));
  CHECK(server.wait() == 0);
  CHECK(server.trace().lines().back().number("stopping") == 1);
}

TEST_CASE("I7: a second run() begins anew", "[I7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--runs=2"}};
  server.port();
  server.signal(SIGTERM);
  CHECK(server.trace().wait_for({.hook = "on_server_begin", .nth = 2}).number("stopping") == 0);
  CHECK(server.trace().wait_for({.hook = "on_listen_ok", .nth = 2}).number("stopping") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("I5: get_client_socket is there while a client is served, in the process that serves it", "[I5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy};
  CHECK(visit(server) == hello);
  CHECK(server.trace().wait_for({.hook = "on_process"}).number("client_socket") == 1);
  CHECK(server.trace().wait_for({.hook = "on_close"}).number("client_socket") == 1);
  CHECK(server.stop() == 0);
  CHECK(server.trace().wait_for({.hook = "on_server_close"}).number("client_socket") == 0);
}

TEST_CASE("I5: get_server_socket is there in the parent from on_listen_ok to on_server_close, and not in a forking kid", "[I5]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = "on_close"});
  CHECK(server.stop() == 0);
  for (const auto& line : server.trace().all({.pid = server.pid()})) {
    CAPTURE(line.whole);
    CHECK(line.number("server_socket") == (line.hook == "on_server_begin" ? 0 : 1));
  }
  if (policy == "forking") CHECK(server.trace().wait_for({.hook = "on_process"}).number("server_socket") == 0);
}
