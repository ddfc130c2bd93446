// Group H: how a server stops.
#include "conformance/every_hook.hpp"

using namespace conformance;

namespace {

const flags two_kids{"--prefork=2", "--maxfork=2"};

flags sized(const std::string& policy) { return policy == "prefork" ? two_kids : flags{}; }

/// Makes the hook be called; a client must still be served.
void pull(every_hook& server, const parent_hook& which) {
  switch (which.by) {
    case trigger::start:
    case trigger::idle: break;
    case trigger::client: CHECK(visit(server) == hello); break;
    case trigger::hup:
      server.port();
      server.signal(SIGHUP);
      break;
    case trigger::usr1:
      server.port();
      server.signal(SIGUSR1);
      break;
    case trigger::usr2:
      server.port();
      server.signal(SIGUSR2);
      break;
    case trigger::over_maxfork: {
      auto held = hold_one(server);
      CHECK(visit(server) == refusal);
      CHECK(held.release() == answer("held\n"));
      break;
    }
    case trigger::dead_kid:
      server.wait_for_kids(2);
      ::kill(server.trace().wait_for({.hook = "on_child_start"}).pid, SIGKILL);
      break;
  }
}

}  // namespace

TEST_CASE("H1: break_main_loop in a hook of the parent stops the server in order, and a client in hand is served", "[H1]") {
  const auto which = GENERATE(from_range(parent_hooks()));
  CAPTURE(which);
  every_hook server{which.policy, flags_for(which) + flags{"--break-in=" + which.hook}};
  pull(server, which);
  CHECK(server.wait() == 0);
  CHECK(server.trace().count({.hook = which.hook}) >= 1);
  CHECK(server.last_parent_hook() == "on_server_close");
  CHECK(server.trace().count({.hook = "on_server_close"}) == 1);
}

TEST_CASE("H1: broken before it serves, a server forks nobody", "[H1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string hook = GENERATE(as<std::string>{}, "on_server_begin", "on_listen_ok");
  CAPTURE(policy, hook);
  every_hook server{policy, {"--break-in=" + hook}};
  CHECK(server.wait() == 0);
  CHECK(server.parent_sequence() == "server_begin listen_ok server_close");
  CHECK(server.trace().pids().size() == 1);
}

TEST_CASE("H2: break_main_loop in a forking kid does nothing", "[H2]") {
  const std::string hook = GENERATE(as<std::string>{}, "on_child_start", "on_process", "on_close", "on_child_exit");
  CAPTURE(hook);
  every_hook server{"forking", {"--break-in-child=" + hook}};
  for (std::size_t n = 1; n <= 2; ++n) {
    CHECK(visit(server) == hello);
    const auto died = server.trace().wait_for({.hook = "on_sig_child", .nth = n});
    CHECK(died.number("status") == 0);
    CHECK(server.trace().sequence(static_cast<pid_t>(died.number("pid"))) == "child_start process close child_exit");
  }
  CHECK(server.trace().count({.hook = "on_server_close"}) == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("H2: break_main_loop in a preforked kid ends it after its client, and the parent goes on", "[H2]") {
  const std::string hook = GENERATE(as<std::string>{}, "on_accept_ok", "on_process", "on_close");
  CAPTURE(hook);
  every_hook server{"prefork", two_kids + flags{"--break-in-child=" + hook}};
  server.wait_for_kids(2);
  for (std::size_t n = 1; n <= 2; ++n) {
    CHECK(visit(server) == hello);
    const auto died = server.trace().wait_for({.hook = "on_sig_child", .nth = n});
    CHECK(died.number("status") == 0);
    CHECK(server.trace().sequence(static_cast<pid_t>(died.number("pid"))) == "child_start accept_ok process close child_exit");
    server.wait_for_kids(2 + n);
  }
  CHECK(server.trace().count({.hook = "on_server_close"}) == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("H3: told to stop, the server waits for a client that takes 3 s", "[H3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy) + flags{"--process=sleep=3"}};
  client slow{server.port()};
  const auto working = server.trace().wait_for({.hook = "on_process"});
  server.signal(SIGTERM);
  CHECK(slow.read_all() == answer("slept\n"));
  CHECK(server.wait() == 0);
  CHECK(server.trace().count({.hook = "on_child_exit", .pid = working.pid}) == 1);
  CHECK(server.trace().wait_for({.hook = "on_close"}).at - working.at >= 2950);
  CHECK(server.last_parent_hook() == "on_server_close");
  if (policy != "nofork") {
    CHECK(server.trace().wait_for({.hook = "on_sig_child", .values = {{"pid", std::to_string(working.pid)}}}).number("status") ==
          0);
  }
}

TEST_CASE("H3: told to stop, a server that waits for its client goes on waiting", "[H3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const int number = GENERATE(SIGTERM, SIGINT);
  CAPTURE(policy, number);
  every_hook server{policy, hold + sized(policy)};
  auto held = hold_one(server);
  server.signal(number);
  CHECK(server.trace().quiet({.hook = "on_close"}, 1000ms));
  CHECK(held.release() == answer("held\n"));
  CHECK(server.wait() == 0);
  CHECK(server.trace().count({.hook = "on_child_exit", .pid = held.by}) == 1);
}

TEST_CASE("H3: told to stop, the server accepts nobody any more", "[H3]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy)};
  const auto port = server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  auto held = hold_one(server);
  server.signal(SIGTERM);
  if (policy == "prefork") server.trace().wait_for({.hook = "on_child_exit"});
  CHECK(server.trace().quiet({.hook = "on_accept_ok"}, 300ms));
  client late{port};
  CHECK(server.trace().quiet({.hook = "on_accept_ok"}, 500ms));
  CHECK(held.release() == answer("held\n"));
  CHECK(server.wait() == 0);
  CHECK(late.ask("go\n", 5000ms).text.empty());
  CHECK(server.trace().count({.hook = "on_process"}) == 1);
}

TEST_CASE("H4: a kid that outlives the grace time is killed, and run() is 0", "[H4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy) + flags{"--grace=2"}};
  auto held = hold_one(server);
  const stopwatch since;
  server.signal(SIGTERM);
  const auto died = server.trace().wait_for({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}});
  CHECK(since.elapsed() >= 1900ms);
  CHECK(since.elapsed() < 6000ms);
  CHECK(died.number("status") == 9);
  CHECK(server.wait() == 0);
  CHECK(server.last_parent_hook() == "on_server_close");
  CHECK(held.connection.read_all().text.empty());
}

TEST_CASE("H4: with nofork the client in hand runs out of time, and run() is 0", "[H4]") {
  every_hook server{"nofork", hold + flags{"--grace=2"}};
  auto held = hold_one(server);
  const stopwatch since;
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(since.elapsed() >= 1900ms);
  CHECK(since.elapsed() < 6000ms);
  CHECK(held.connection.read_all().text.empty());
  CHECK(server.parent_sequence() == "server_begin listen_ok accept_ok child_start process close child_exit server_close");
}

TEST_CASE("H4: the grace time is 8 s unless given", "[H4]") {
  every_hook server{"forking", hold};
  auto held = hold_one(server);
  const stopwatch since;
  server.signal(SIGTERM);
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 9);
  CHECK(since.elapsed() >= 7900ms);
  CHECK(since.elapsed() < 12000ms);
  CHECK(server.wait() == 0);
}

TEST_CASE("H4: a kid that is stopped by SIGSTOP is killed too", "[H4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy) + flags{"--grace=1"}};
  auto held = hold_one(server);
  ::kill(held.by, SIGSTOP);
  server.signal(SIGTERM);
  CHECK(server.trace().wait_for({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}}).number("status") == 9);
  CHECK(server.wait() == 0);
}

TEST_CASE("H5: a second SIGTERM changes nothing", "[H5]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy) + flags{"--grace=3"}};
  auto held = hold_one(server);
  const stopwatch since;
  server.signal(SIGTERM);
  for (int again = 0; again < 4; ++again) {
    CHECK(server.trace().quiet({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}}, 250ms));
    server.signal(again % 2 == 0 ? SIGTERM : SIGINT);
  }
  const auto died = server.trace().wait_for({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}});
  CHECK(died.number("status") == 9);
  CHECK(since.elapsed() >= 2900ms);
  CHECK(since.elapsed() < 7000ms);
  CHECK(server.wait() == 0);
}

TEST_CASE("H5: a client in hand survives a second SIGTERM", "[H5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy)};
  auto held = hold_one(server);
  server.signal(SIGTERM);
  CHECK(server.trace().quiet({.hook = "on_close"}, 300ms));
  server.signal(SIGTERM);
  CHECK(server.trace().quiet({.hook = "on_close"}, 300ms));
  CHECK(held.release() == answer("held\n"));
  CHECK(server.wait() == 0);
}

TEST_CASE("H6: SIGQUIT cuts the grace time short", "[H6]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy) + flags{"--grace=600"}};
  auto held = hold_one(server);
  server.signal(SIGTERM);
  CHECK(server.trace().quiet({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}}, 500ms));
  server.signal(SIGQUIT);
  const auto died = server.trace().wait_for({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}});
  CHECK(died.number("status") == 9);
  CHECK(server.wait() == 0);
  CHECK(server.last_parent_hook() == "on_server_close");
}

TEST_CASE("H6: SIGQUIT alone stops at once, and leaves nobody behind", "[H6]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + sized(policy) + flags{"--grace=600"}};
  auto held = hold_one(server);
  server.signal(SIGQUIT);
  CHECK(server.wait() == 0);
  CHECK(server.last_parent_hook() == "on_server_close");
}
