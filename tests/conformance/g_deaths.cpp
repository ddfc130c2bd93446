// Group G: kids that die, handlers that throw, parents that are killed.
#include "conformance/every_hook.hpp"

using namespace conformance;

namespace {

const flags two_kids{"--prefork=2", "--maxfork=2"};

/// AddressSanitizer would make an exit of a SIGSEGV.
launch signals_untouched() {
  launch surroundings;
  surroundings.environment = {"ASAN_OPTIONS=handle_segv=0:handle_abort=0:handle_sigbus=0"};
  return surroundings;
}

flags sized(const std::string& policy) { return policy == "prefork" ? two_kids : flags{}; }

}  // namespace

TEST_CASE("G1: a kid that exits by itself is told with its raw status, and the next client is served", "[G1]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy) + flags{"--process=exit=3"}};
  for (std::size_t n = 1; n <= 2; ++n) {
    CHECK(visit(server).text.empty());
    const auto died = server.trace().wait_for({.hook = "on_sig_child", .nth = n});
    CHECK(died.number("status") == 768);
    CHECK(died.number("pid") == server.trace().wait_for({.hook = "on_process", .nth = n}).pid);
  }
  if (policy == "prefork") server.wait_for_kids(4);
  CHECK(server.stop() == 0);
}

TEST_CASE("G1: a kid killed in the middle of its client is told with the signal, and the next client is served", "[G1]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  const int number = GENERATE(SIGKILL, SIGSEGV, SIGABRT);
  CAPTURE(policy, number);
  every_hook server{policy, hold + sized(policy), signals_untouched()};
  if (policy == "prefork") server.wait_for_kids(2);
  auto held = hold_one(server);
  ::kill(held.by, number);
  const auto died = server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(died.number("pid") == held.by);
  CHECK(died.number("status") == number);
  CHECK(held.connection.read_all().text.empty());
  if (policy == "prefork") {
    server.wait_for_kids(3);
    CHECK(server.kids().size() == 2);
  }
  auto next = hold_one(server);
  CHECK(next.release() == answer("held\n"));
  CHECK(server.trace().count({.hook = "on_close", .pid = held.by}) == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("G1: an idle preforked kid that is killed is replaced", "[G1]") {
  every_hook server{"prefork", two_kids};
  server.wait_for_kids(2);
  const pid_t kid = *server.kids().begin();
  ::kill(kid, SIGKILL);
  const auto died = server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(died.number("pid") == kid);
  CHECK(died.number("status") == 9);
  server.wait_for_kids(3);
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("G1: a killed busy kid is no longer counted", "[G1]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy)};
  auto first = hold_one(server);
  auto second = hold_one(server);
  ::kill(first.by, SIGKILL);
  const auto died = server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(died.number("busy") == 1);
  CHECK(census_in(server, server.pid(), SIGHUP, "on_sig_hup").busy == 1);
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("G2: an on_process that throws ends a forking kid with status 1, after on_exception, on_close and on_child_exit",
          "[G2]") {
  every_hook server{"forking", {"--process=throw"}};
  for (std::size_t n = 1; n <= 2; ++n) {
    CHECK(visit(server).how == outcome::end_of_stream);
    const auto died = server.trace().wait_for({.hook = "on_sig_child", .nth = n});
    CHECK(died.number("status") == 256);
    CHECK(server.trace().sequence(static_cast<pid_t>(died.number("pid"))) == "child_start process exception close child_exit");
  }
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_exception", .pid = server.pid()}) == 0);
  CHECK(server.trace().count({.hook = "on_server_close"}) == 1);
}

TEST_CASE("G2: a preforked kid whose on_process throws serves on", "[G2]") {
  every_hook server{"prefork", {"--prefork=1", "--maxfork=1", "--process=throw"}};
  std::string expected = "child_start";
  for (std::size_t n = 1; n <= 3; ++n) {
    CHECK(visit(server).how == outcome::end_of_stream);
    server.trace().wait_for({.hook = "on_close", .nth = n});
    expected += " accept_ok process exception close";
  }
  CHECK(server.kids().size() == 1);
  CHECK(server.trace().sequence(*server.kids().begin()) == expected);
  CHECK(server.trace().count({.hook = "on_sig_child"}) == 0);
  CHECK(server.stop() == 0);
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 0);
}

TEST_CASE("G2: on_exception is handed what was thrown", "[G2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--process=throw"}};
  visit(server);
  const auto line = server.trace().wait_for({.hook = "on_exception"});
  CHECK_FALSE(line.text("error").empty());
  CHECK(line.pid == server.trace().wait_for({.hook = "on_process"}).pid);
  CHECK(server.stop() == 0);
}

TEST_CASE("G3: a kid that ends while another serves takes nothing from it", "[G3]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy)};
  auto first = hold_one(server);
  auto second = hold_one(server);
  ::kill(first.by, SIGKILL);
  server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("G4: idle kids of a killed parent go at once, and the port is free", "[G4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const auto objects = ipc_objects();
  every_hook server{policy, sized(policy) + flags{"--timeout=3600"}};
  const auto port = server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  CHECK(visit(server) == hello);
  server.signal(SIGKILL);
  CHECK(server.wait_for_parent() == -SIGKILL);
  CHECK(server.wait_until_gone(5000ms));
  CHECK(ipc_objects() == objects);
  every_hook next{policy, {"--port=" + std::to_string(port)}};
  CHECK(visit(next) == hello);
  CHECK(next.stop() == 0);
}

TEST_CASE("G4: a busy kid of a killed parent finishes its client, then goes", "[G4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy)};
  const auto port = server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  auto held = hold_one(server);
  const auto kids = server.kids();
  server.signal(SIGKILL);
  CHECK(server.wait_for_parent() == -SIGKILL);
  for (const pid_t kid : kids) {
    if (kid != held.by) CHECK(wait_until_ended(kid, 5000ms));
  }
  CHECK_FALSE(wait_until_ended(held.by, 1000ms));
  if (policy == "forking") {  // the kid does not hold the port
    every_hook next{policy, {"--port=" + std::to_string(port)}};
    CHECK(visit(next) == hello);
    CHECK(next.stop() == 0);
  }
  CHECK(held.release() == answer("held\n"));
  CHECK(server.wait_until_gone());
  CHECK(server.trace().count({.hook = "on_child_exit", .pid = held.by}) == 1);
  every_hook next{policy, {"--port=" + std::to_string(port)}};
  CHECK(visit(next) == hello);
  CHECK(next.stop() == 0);
}

TEST_CASE("G4: a busy preforked kid of a killed parent accepts no further client", "[G4]") {
  every_hook server{"prefork", hold + flags{"--prefork=1", "--maxfork=1"}};
  auto held = hold_one(server);
  client waiting{server.port()};
  server.signal(SIGKILL);
  CHECK(server.wait_for_parent() == -SIGKILL);
  CHECK(held.release() == answer("held\n"));
  CHECK(server.wait_until_gone());
  CHECK(waiting.ask("go\n").text.empty());
  CHECK(server.trace().count({.hook = "on_process"}) == 1);
}

TEST_CASE("G5: the parent dies of a signal that nobody handles as any program does, and its kids go", "[G5]") {
  every_hook server{"prefork", two_kids, signals_untouched()};
  server.wait_for_kids(2);
  server.signal(SIGALRM);
  CHECK(server.wait_for_parent() == -SIGALRM);
  CHECK(server.wait_until_gone(5000ms));
}

TEST_CASE("G6: a child that the server did not make is neither reaped nor counted", "[G6]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const temp_directory directory;
  const auto gate = directory / "gate";
  REQUIRE(::system(("mkfifo '" + gate.string() + "'").c_str()) == 0);
  launch surroundings;  // the shell starts a child and becomes the server
  surroundings.in_front = {"sh", "-c", "cat '" + gate.string() + "' & exec \"$@\"", "sh"};
  every_hook server{policy, hold + sized(policy), surroundings};
  server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  pid_t stranger = 0;
  for (const pid_t child : children_of(server.pid())) {
    if (look_at(child)->name == "cat") stranger = child;
  }
  REQUIRE(stranger != 0);
  server.tolerate(stranger);

  auto first = hold_one(server);
  std::fclose(std::fopen(gate.c_str(), "w"));  // it reads to the end, and ends
  REQUIRE(wait_until_ended(stranger));
  auto during = census_in(server, server.pid(), SIGHUP, "on_sig_hup");
  if (policy != "nofork") CHECK(during == census{1, policy == "prefork" ? 2 : 1});
  CHECK(first.release() == answer("held\n"));
  auto second = hold_one(server);
  CHECK(second.release() == answer("held\n"));
  CHECK(look_at(stranger).value_or(process_state{}).state == 'Z');
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_sig_child", .values = {{"pid", std::to_string(stranger)}}}) == 0);
  CHECK(server.wait_until_gone());
}

TEST_CASE("G2: what a hook of the parent threw is no fault of the kids that are born later", "[G2]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--throw-in=on_listen_ok", "--prefork=1", "--maxfork=4"}};
  CHECK(visit(server) == hello);
  if (policy == "prefork") ::kill(server.trace().wait_for({.hook = "on_process"}).pid, SIGTERM);
  CHECK(server.trace().count({.hook = "on_exception"}) == 1);
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 0);
  CHECK(server.stop() == 0);
}
