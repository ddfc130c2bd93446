// Group FK: a process for each client, up to a limit.
#include "conformance/every_hook.hpp"

using namespace conformance;

namespace {

const std::string one_life = "child_start process close child_exit";

/// A server at its limit of two, and the two clients.
struct full_house {
  every_hook server;
  held_client first;
  held_client second;

  explicit full_house(const flags& more = {})
      : server{"forking", hold + flags{"--maxfork=2"} + more}, first{hold_one(server)}, second{hold_one(server)} {}
};

}  // namespace

TEST_CASE("FK1: one client is accepted by the parent and served by a kid", "[FK1]") {
  every_hook server{"forking"};
  CHECK(visit(server) == hello);
  const auto born = server.trace().wait_for({.hook = "on_fork_ok"});
  const auto died = server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(died.number("pid") == born.number("pid"));
  CHECK(died.number("status") == 0);
  CHECK(server.stop() == 0);
  CHECK(server.parent_sequence() == "server_begin listen_ok accept_ok fork_ok sig_child server_close");
  CHECK(server.trace().sequence(static_cast<pid_t>(born.number("pid"))) == one_life);
  CHECK(server.trace().pids().size() == 2);
}

TEST_CASE("FK1: is_child is true in the kid and false in the parent", "[FK1]") {
  every_hook server{"forking"};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(server.stop() == 0);
  for (const auto& line : server.trace().lines()) {
    CAPTURE(line.whole);
    CHECK(line.number("is_child") == (line.pid == server.pid() ? 0 : 1));
    CHECK(line.side == (line.pid == server.pid() ? 'P' : 'C'));
  }
}

TEST_CASE("FK2: three held clients have three kids at once", "[FK2]") {
  every_hook server{"forking", hold};
  auto first = hold_one(server);
  auto second = hold_one(server);
  auto third = hold_one(server);
  CHECK(server.trace().wait_for({.hook = "on_fork_ok", .nth = 3}).number("kids") == 3);
  CHECK(server.kids() == std::set<pid_t>{first.by, second.by, third.by});
  CHECK(third.release() == answer("held\n"));
  CHECK(first.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  server.trace().wait_for({.hook = "on_sig_child", .nth = 3});
  CHECK(server.stop() == 0);
  for (const pid_t kid : {first.by, second.by, third.by}) CHECK(server.trace().sequence(kid) == one_life);
}

TEST_CASE("FK3: a kid counts as busy while it serves", "[FK3]") {
  every_hook server{"forking", hold};
  auto first = hold_one(server);
  auto second = hold_one(server);
  CHECK(census_in(server, server.pid(), SIGHUP, "on_sig_hup") == census{2, 2});
  CHECK(first.release() == answer("held\n"));
  server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(census_in(server, server.pid(), SIGHUP, "on_sig_hup") == census{1, 1});
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("FK4: a client past maxfork reads what on_maxforked wrote, then the end", "[FK4]") {
  full_house house;
  CHECK(visit(house.server) == refusal);
  house.server.trace().wait_for({.hook = "on_close", .pid = house.server.pid()});
  CHECK(house.server.parent_sequence() == "server_begin listen_ok accept_ok fork_ok accept_ok fork_ok accept_ok maxforked close");
  CHECK(house.first.release() == answer("held\n"));
  CHECK(house.second.release() == answer("held\n"));
  CHECK(house.server.stop() == 0);
  CHECK(house.server.trace().pids().size() == 3);
}

TEST_CASE("FK5: a client past maxfork that had sent data reads the text, then the end, and no reset", "[FK5]") {
  full_house house{{"--linger=60"}};
  for (int turn = 1; turn <= 5; ++turn) {
    CAPTURE(turn);
    // Stopped, the server can't have accepted before the data are there.
    house.server.signal(SIGSTOP);
    client third{house.server.port()};
    CHECK(third.send(std::string(10000, 'x') + '\n'));
    house.server.signal(SIGCONT);
    CHECK(third.read_all() == refusal);
    CHECK(third.is_heard_out("and that"));
  }
  CHECK(house.first.release() == answer("held\n"));
  CHECK(house.second.release() == answer("held\n"));
  CHECK(house.server.stop() == 0);
}

TEST_CASE("FK5: a client past maxfork that goes on sending reads the text, then the end", "[FK5]") {
  full_house house{{"--linger=60"}};
  client third{house.server.port()};
  house.server.trace().wait_for({.hook = "on_maxforked"});
  CHECK(third.ask(std::string(10000, 'x') + '\n') == refusal);
  CHECK(third.is_heard_out("and that"));
  CHECK(house.first.release() == answer("held\n"));
  CHECK(house.second.release() == answer("held\n"));
  CHECK(house.server.stop() == 0);
}

TEST_CASE("FK6: a refused client that does not leave holds nobody up", "[FK6]") {
  full_house house{{"--linger=60"}};
  client stays{house.server.port()};
  CHECK(stays.read_line() == refusal.text);
  client another{house.server.port()};
  CHECK(another.read_all(5000ms) == refusal);
  CHECK(house.first.release() == answer("held\n"));
  house.server.trace().wait_for({.hook = "on_sig_child"});
  auto next = hold_one(house.server);
  CHECK(next.release() == answer("held\n"));
  CHECK(house.second.release() == answer("held\n"));
  stays.close();
  CHECK(house.server.stop() == 0);
}

TEST_CASE("FK6: a refused client that has reset the connection kills nobody", "[FK6]") {
  full_house house;
  house.server.signal(SIGSTOP);
  client{house.server.port()}.reset();
  house.server.signal(SIGCONT);
  house.server.trace().seek({.hook = "on_maxforked"}, 2000ms);  // the kernel may drop it before anybody accepts
  CHECK(visit(house.server) == refusal);
  CHECK(house.first.release() == answer("held\n"));
  CHECK(house.second.release() == answer("held\n"));
  CHECK(house.server.stop() == 0);
}

TEST_CASE("FK7: when a kid of a full server has ended, the next client is served", "[FK7]") {
  full_house house;
  CHECK(visit(house.server) == refusal);
  CHECK(house.first.release() == answer("held\n"));
  house.server.trace().wait_for({.hook = "on_sig_child"});
  auto next = hold_one(house.server);
  CHECK(next.release() == answer("held\n"));
  CHECK(house.second.release() == answer("held\n"));
  CHECK(house.server.stop() == 0);
}

TEST_CASE("FK8: in 3.5 s without a client a timeout of 1 s passes three times", "[FK8]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "nofork");
  CAPTURE(policy);
  every_hook server{policy, {"--timeout=1"}};
  const auto begun = server.trace().wait_for({.hook = "on_listen_ok"}).at;
  server.trace().wait_for({.hook = "on_forking_idle", .nth = 4});
  const auto ticks = server.trace().all({.hook = "on_forking_idle"});
  for (std::size_t n = 0; n < 4; ++n) {
    const auto apart = ticks[n].at - (n == 0 ? begun : ticks[n - 1].at);
    CAPTURE(n, apart);
    CHECK(apart >= 950);
    CHECK(apart <= 1900);
    CHECK(ticks[n].pid == server.pid());
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("FK9: what on_process returns is nothing to a forking kid", "[FK9]") {
  every_hook server{"forking", {"--process=false"}};
  CHECK(visit(server) == hello);
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 0);
  CHECK(visit(server) == hello);
  CHECK(server.trace().wait_for({.hook = "on_sig_child", .nth = 2}).number("status") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("FK10: a forking kid does not hold the listening socket", "[FK10]") {
  every_hook server{"forking", hold};
  auto first = hold_one(server);
  CHECK(holds_listener(server.pid(), server.port()));
  CHECK_FALSE(holds_listener(first.by, server.port()));
  CHECK(first.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}
