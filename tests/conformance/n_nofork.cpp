// Group N: one process that serves one client after the other.
#include "conformance/every_hook.hpp"

using namespace conformance;

namespace {

const std::string one_client = " accept_ok child_start process close child_exit";

}  // namespace

TEST_CASE("N1: one client, one process, every hook once", "[N1]") {
  every_hook server{"nofork"};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = "on_child_exit"});
  CHECK(server.stop() == 0);
  CHECK(server.parent_sequence() == "server_begin listen_ok" + one_client + " server_close");
  CHECK(server.trace().pids().size() == 1);
}

TEST_CASE("N2: three clients at once are served strictly one after the other, and none is lost", "[N2]") {
  every_hook server{"nofork", hold};
  auto first = hold_one(server);
  client second{server.port()};
  client third{server.port()};
  second.send("go\n");
  third.send("go\n");
  CHECK(server.trace().quiet({.hook = "on_accept_ok"}, 500ms));
  CHECK(first.release() == answer("held\n"));
  CHECK(second.read_all() == answer("held\n"));
  CHECK(third.read_all() == answer("held\n"));
  server.trace().wait_for({.hook = "on_child_exit", .nth = 3});
  CHECK(server.stop() == 0);
  CHECK(server.parent_sequence() == "server_begin listen_ok" + one_client + one_client + one_client + " server_close");
  CHECK(server.trace().pids().size() == 1);
}

TEST_CASE("N3: is_child is true from on_child_start to on_child_exit and false otherwise", "[N3]") {
  every_hook server{"nofork", {"--timeout=1"}};
  for (std::size_t served = 1; served <= 2; ++served) {
    CHECK(visit(server) == hello);
    server.trace().wait_for({.hook = "on_child_exit", .nth = served});
  }
  server.signal(SIGUSR1);
  server.trace().wait_for({.hook = "on_sig_usr1"});
  server.trace().wait_for({.hook = "on_forking_idle"});
  CHECK(server.stop() == 0);
  const std::set<std::string> in_a_child{"on_child_start", "on_process", "on_close", "on_child_exit"};
  for (const auto& line : server.trace().lines()) {
    CAPTURE(line.whole);
    CHECK(line.number("is_child") == (in_a_child.contains(line.hook) ? 1 : 0));
  }
}

TEST_CASE("N3: the server socket stays valid during and after a client", "[N3]") {
  every_hook server{"nofork"};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = "on_child_exit"});
  CHECK(holds_listener(server.pid(), server.port()));
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = "on_child_exit", .nth = 2});
  CHECK(server.stop() == 0);
  for (const auto& line : server.trace().lines()) {
    CAPTURE(line.whole);
    CHECK(line.number("server_socket") == (line.hook == "on_server_begin" ? 0 : 1));
  }
}

TEST_CASE("N3: the signal hooks are on_sig_* before, during and after a client", "[N3]") {
  struct pair {
    int number;
    std::string hook;
  };
  const auto which = GENERATE(pair{SIGHUP, "on_sig_hup"}, pair{SIGUSR1, "on_sig_usr1"}, pair{SIGUSR2, "on_sig_usr2"});
  CAPTURE(which.hook);
  every_hook server{"nofork", hold};
  server.port();
  server.signal(which.number);
  CHECK(server.trace().wait_for({.hook = which.hook, .nth = 1}).number("is_child") == 0);
  auto during = hold_one(server);
  server.signal(which.number);
  CHECK(server.trace().wait_for({.hook = which.hook, .nth = 2}).number("is_child") == 1);
  CHECK(during.release() == answer("held\n"));
  server.trace().wait_for({.hook = "on_child_exit"});
  server.signal(which.number);
  CHECK(server.trace().wait_for({.hook = which.hook, .nth = 3}).number("is_child") == 0);
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_child" + which.hook.substr(2)}) == 0);
}

TEST_CASE("N5: a handler that throws loses its client, and the next is served", "[N5]") {
  every_hook server{"nofork", {"--process=throw"}};
  const std::string one_thrown = " accept_ok child_start process exception close child_exit";
  for (std::size_t served = 1; served <= 2; ++served) {
    CHECK(visit(server).how == outcome::end_of_stream);
    server.trace().wait_for({.hook = "on_child_exit", .nth = served});
  }
  CHECK(server.stop() == 0);
  CHECK(server.parent_sequence() == "server_begin listen_ok" + one_thrown + one_thrown + " server_close");
}

TEST_CASE("N6: what on_process returns is nothing to nofork", "[N6]") {
  every_hook server{"nofork", {"--process=false"}};
  for (std::size_t served = 1; served <= 3; ++served) {
    CHECK(visit(server) == hello);
    server.trace().wait_for({.hook = "on_child_exit", .nth = served});
  }
  CHECK(server.stop() == 0);
  CHECK(server.parent_sequence() == "server_begin listen_ok" + one_client + one_client + one_client + " server_close");
}

TEST_CASE("N7: nobody is forked and nobody is refused", "[N7]") {
  every_hook server{"nofork", hold};
  auto first = hold_one(server);
  CHECK(server.kids().empty());
  const auto line = server.trace().wait_for({.hook = "on_process"});
  CHECK(line.pid == server.pid());
  CHECK(first.release() == answer("held\n"));
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_fork_ok"}) == 0);
  CHECK(server.trace().count({.hook = "on_maxforked"}) == 0);
}
