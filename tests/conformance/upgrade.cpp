// upgrade(), its options and its hook; what happens under load stands in tests/faults/upgrades.cpp.
#include "conformance/every_hook.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace conformance;

namespace {

const std::vector<std::string> policies{"nofork", "forking", "prefork"};

flags upgradable(const std::string& policy) {
  return flags{"--upgrade-on-usr2"} + (policy == "prefork" ? flags{"--prefork=2"} : flags{});
}

std::string script(const temp_directory& directory, const std::string& body) {
  const auto path = (directory / "script").string();
  std::ofstream(path) << "#!/bin/sh\n" << body << '\n';
  ::chmod(path.c_str(), 0755);
  return path;
}

/// What on_upgrade_failed is told after one USR2; the server serves on, with its kids.
std::string failure(every_hook& server) {
  server.port();
  server.signal(SIGUSR2);
  const auto line = server.trace().wait_for({.hook = "on_upgrade_failed"});
  CHECK(line.side == 'P');
  CHECK(line.pid == server.pid());
  CHECK(line.number("server_socket") == 1);
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_upgrade_failed"}) == 1);
  return line.text("error");
}

}  // namespace

TEST_CASE("upgrade() from on_sig_usr2: a new process of the same program serves, and the old one's run() returns 0") {
  const std::string policy = GENERATE(from_range(policies));
  CAPTURE(policy);
  every_hook server{policy, upgradable(policy)};
  const auto port = server.port();
  REQUIRE(visit(server) == hello);
  server.signal(SIGUSR2);
  const auto listened = server.trace().wait_for({.hook = "on_listen_ok", .nth = 2});
  CHECK(listened.pid != server.pid());
  CHECK(listened.number("port") == port);
  CHECK(server.wait_for_parent() == 0);
  CHECK(server.trace().wait_for({.hook = "on_server_close"}).pid == server.pid());
  CHECK(visit(server) == hello);
  CHECK(server.trace().all({.hook = "on_process"}).back().number("parent") == listened.pid);
  ::kill(listened.pid, SIGTERM);
  CHECK(server.wait_until_gone());
}

TEST_CASE("upgrade.program: what is not there is told to on_upgrade_failed, once, and the server serves on") {
  const std::string policy = GENERATE(from_range(policies));
  CAPTURE(policy);
  every_hook server{policy, upgradable(policy) + flags{"--upgrade-program=/no/such/program"}};
  CHECK(failure(server) == "/no/such/program:_No_such_file_or_directory");
}

TEST_CASE("upgrade.program gets the arguments of this one, after its own name") {
  const temp_directory directory;
  every_hook server{"nofork", upgradable("nofork") + flags{"--upgrade-program=" + script(directory, "echo \"$0 $*\"; exit 9")}};
  CHECK_FALSE(failure(server).find("exited_with_status_9_before_it_was_ready") == std::string::npos);
  CHECK_FALSE(server.output().find((directory / "script").string() + " --") == std::string::npos);
  CHECK_FALSE(server.output().find("--upgrade-on-usr2") == std::string::npos);
}

TEST_CASE("upgrade.within: who is not ready by then is killed") {
  const std::string policy = GENERATE(from_range(policies));
  CAPTURE(policy);
  const temp_directory directory;
  const stopwatch watch;
  every_hook server{policy, upgradable(policy) + flags{"--upgrade-within=0.3", "--upgrade-program=" + script(directory, "exec sleep 600")}};
  CHECK(failure(server) == "it_was_not_ready_in_time");
  CHECK(watch.elapsed() >= 300ms);
}

TEST_CASE("a file that was put in the place of the program is what upgrade() starts") {
  const temp_directory directory;
  const auto program = directory / "server";
  std::filesystem::copy_file(every_hook_program(), program);
  launch surroundings;
  surroundings.in_front = {"sh", "-c", "program=$1; shift 2; exec \"$program\" \"$@\"", "sh", program.string()};
  every_hook server{"forking", upgradable("forking"), surroundings};
  server.port();
  const auto next = directory / "next";
  std::ofstream(next) << "#!/bin/sh\nexit 42\n";
  ::chmod(next.c_str(), 0755);
  std::filesystem::rename(next, program);
  CHECK_FALSE(failure(server).find("exited_with_status_42") == std::string::npos);
}
