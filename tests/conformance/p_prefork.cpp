// Group P: a pool of kids that accept for themselves.
#include "conformance/every_hook.hpp"

using namespace conformance;

namespace {

flags pool(int prefork) { return {"--prefork=" + std::to_string(prefork)}; }
flags pool(int prefork, int maxfork) { return pool(prefork) + flags{"--maxfork=" + std::to_string(maxfork)}; }

/// Exactly so many kids, each of which has only started, for three seconds.
void stays_at(every_hook& server, std::size_t count) {
  server.wait_for_kids(count);
  CHECK(server.trace().quiet({.hook = "on_fork_ok"}, 3000ms));
  CHECK(server.trace().count({.hook = "on_fork_ok"}) == count);
  const auto kids = server.kids();
  CHECK(kids.size() == count);
  for (const pid_t kid : kids) CHECK(server.trace().sequence(kid) == "child_start");
}

}  // namespace

TEST_CASE("P1: a pool without clients has exactly prefork kids", "[P1]") {
  const int prefork = GENERATE(2, 3, 10);
  CAPTURE(prefork);
  every_hook server{"prefork", pool(prefork)};
  stays_at(server, static_cast<std::size_t>(prefork));
  CHECK(server.stop() == 0);
}

TEST_CASE("P2: a pool of one is one kid", "[P2]") {
  every_hook server{"prefork", pool(1)};
  stays_at(server, 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("P3: a pool of 2 up to 6 grows to 4, to 6, and the rest waits without a hook", "[P3]") {
  every_hook server{"prefork", hold + pool(2, 6)};
  server.wait_for_kids(2);
  std::vector<held_client> held;
  held.push_back(hold_one(server));  // one idle of two: two more
  server.wait_for_kids(4);
  held.push_back(hold_one(server));  // two idle of four: enough
  CHECK(server.trace().quiet({.hook = "on_fork_ok"}, 1000ms));
  held.push_back(hold_one(server));  // one idle of four: two more
  server.wait_for_kids(6);
  for (int n = 0; n < 3; ++n) held.push_back(hold_one(server));
  client seventh{server.port()};
  client eighth{server.port()};
  CHECK(server.trace().quiet({.hook = "on_accept_ok"}, 1000ms));
  CHECK(server.trace().count({.hook = "on_fork_ok"}) == 6);
  CHECK(server.kids().size() == 6);
  for (auto& one : held) CHECK(one.release() == answer("held\n"));
  CHECK(seventh.ask("go\n") == answer("held\n"));
  CHECK(eighth.ask("go\n") == answer("held\n"));
  CHECK(server.trace().count({.hook = "on_maxforked"}) == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("P4: maxfork below prefork wins", "[P4]") {
  every_hook server{"prefork", pool(8, 3)};
  stays_at(server, 3);
  CHECK(server.stop() == 0);
}

TEST_CASE("P5: the kid accepts its client, the parent does not", "[P5]") {
  every_hook server{"prefork", pool(2, 2)};
  server.wait_for_kids(2);
  CHECK(visit(server) == hello);
  const auto served = server.trace().wait_for({.hook = "on_close"});
  CHECK(served.pid != server.pid());
  CHECK(server.trace().sequence(served.pid) == "child_start accept_ok process close");
  CHECK(server.trace().count({.hook = "on_accept_ok", .pid = server.pid()}) == 0);
  CHECK(server.stop() == 0);
  CHECK(server.trace().sequence(served.pid) == "child_start accept_ok process close child_exit");
  CHECK(server.parent_sequence() == "server_begin listen_ok fork_ok fork_ok sig_child sig_child server_close");
}

TEST_CASE("P6: on_process that returns false ends the kid after its client, and it is replaced", "[P6]") {
  every_hook server{"prefork", pool(2, 2) + flags{"--process=false"}};
  server.wait_for_kids(2);
  for (std::size_t n = 1; n <= 3; ++n) {
    CHECK(visit(server) == hello);
    const auto died = server.trace().wait_for({.hook = "on_sig_child", .nth = n});
    CHECK(died.number("status") == 0);
    CHECK(server.trace().sequence(static_cast<pid_t>(died.number("pid"))) == "child_start accept_ok process close child_exit");
    server.wait_for_kids(2 + n);
  }
  CHECK(server.kids().size() == 2);
  CHECK(server.stop() == 0);
}

TEST_CASE("P7: on_process that returns nothing or true keeps the kid", "[P7]") {
  every_hook server{"prefork", pool(1, 1)};
  for (std::size_t n = 1; n <= 3; ++n) {
    CHECK(visit(server) == hello);
    server.trace().wait_for({.hook = "on_close", .nth = n});
  }
  CHECK(server.kids().size() == 1);
  CHECK(server.trace().sequence(*server.kids().begin()) ==
        "child_start accept_ok process close accept_ok process close accept_ok process close");
  CHECK(server.stop() == 0);
}

TEST_CASE("P8: a kid that has served does not leave a pool that is at prefork", "[P8]") {
  every_hook server{"prefork", pool(2, 2) + flags{"--px-idle=2", "--timeout=1"}};
  server.wait_for_kids(2);
  const auto before = server.kids();
  CHECK(visit(server) == hello);
  CHECK(server.trace().quiet({.hook = "on_child_exit"}, 6000ms));
  CHECK(server.kids() == before);
  CHECK(server.stop() == 0);
}

TEST_CASE("P9: kids above prefork leave after px_idle, in order, until exactly prefork are left", "[P9]") {
  every_hook server{"prefork", hold + pool(2, 6) + flags{"--px-idle=2", "--timeout=1"}};
  server.wait_for_kids(2);
  std::vector<held_client> held;
  for (int n = 0; n < 5; ++n) held.push_back(hold_one(server));
  server.wait_for_kids(6);
  for (auto& one : held) CHECK(one.release() == answer("held\n"));
  REQUIRE(eventually([&] { return server.kids().size() == 2; }));
  REQUIRE(eventually(
      [&] { return server.trace().count({.hook = "on_sig_child"}) + 2 == server.trace().count({.hook = "on_fork_ok"}); }));
  CHECK(server.trace().quiet({.hook = "on_sig_child"}, 4000ms));
  CHECK(server.kids().size() == 2);
  const auto left = server.trace().all({.hook = "on_sig_child"});
  CHECK(left.size() + 2 == server.trace().count({.hook = "on_fork_ok"}));
  for (const auto& one : left) {
    CHECK(one.number("status") == 0);
    CHECK(server.trace().sequence(static_cast<pid_t>(one.number("pid"))).ends_with(" child_exit"));
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("P9: no kid leaves before px_idle is over", "[P9]") {
  every_hook server{"prefork", hold + pool(1, 4) + flags{"--px-idle=3", "--timeout=1"}};
  server.wait_for_kids(1);
  auto held = hold_one(server);
  server.wait_for_kids(2);
  CHECK(held.release() == answer("held\n"));
  const auto served = server.trace().wait_for({.hook = "on_close"});
  const auto left = server.trace().wait_for({.hook = "on_child_exit"});
  const auto born = server.trace().all({.hook = "on_child_start", .pid = left.pid}).front();
  CHECK(left.at - (left.pid == served.pid ? served.at : born.at) >= 2950);
  CHECK(server.stop() == 0);
}

TEST_CASE("P10: nobody leaves a pool at prefork, however long it is idle", "[P10]") {
  every_hook server{"prefork", pool(3) + flags{"--px-idle=1", "--timeout=1"}};
  server.wait_for_kids(3);
  const auto before = server.kids();
  CHECK(server.trace().quiet({.hook = "on_child_exit"}, 5000ms));
  CHECK(server.kids() == before);
  CHECK(server.stop() == 0);
}

TEST_CASE("P11: kids that leave at once are replaced at most 10 times a second, and the parent says so", "[P11]") {
  every_hook server{"prefork", pool(2, 2) + flags{"--break-in-child=on_child_start"}};
  const auto first = server.trace().wait_for({.hook = "on_fork_ok"});
  server.trace().quiet({.hook = "on_server_close"}, 2000ms);
  std::size_t forks = 0;
  for (const auto& line : server.trace().all({.hook = "on_fork_ok"})) forks += line.at - first.at <= 2000 ? 1 : 0;
  CHECK(forks >= 3);
  CHECK(forks <= 2 + 2 * 10);
  CHECK_FALSE(server.output().empty());
  CHECK(server.stop() == 0);
}

TEST_CASE("P12: kids that leave at once are still replaced after a while", "[P11]") {
  every_hook server{"prefork", pool(1, 1) + flags{"--break-in-child=on_child_start"}};
  server.trace().wait_for({.hook = "on_sig_child", .nth = 6});
  CHECK(server.stop() == 0);
}

TEST_CASE("P13: the pool grows at once, without waiting for a tick", "[P13]") {
  every_hook server{"prefork", hold + pool(1, 4) + flags{"--timeout=60"}};
  server.wait_for_kids(1);
  auto first = hold_one(server);
  auto second = hold_one(server);
  const auto accepted = server.trace().wait_for({.hook = "on_accept_ok", .nth = 1});
  const auto grown = server.trace().wait_for({.hook = "on_fork_ok", .nth = 2});
  CHECK(grown.at - accepted.at < 3000);
  CHECK(first.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("P14: in 3.5 s without a client a timeout of 1 s passes three times in each kid, and never in the parent", "[P14]") {
  every_hook server{"prefork", pool(2, 2) + flags{"--timeout=1"}};
  server.wait_for_kids(2);
  for (const pid_t kid : server.kids()) {
    server.trace().wait_for({.hook = "on_prefork_child_idle", .pid = kid, .nth = 4});
    const auto ticks = server.trace().all({.hook = "on_prefork_child_idle", .pid = kid});
    auto before = server.trace().wait_for({.hook = "on_child_start", .pid = kid}).at;
    for (std::size_t n = 0; n < 4; ++n) {
      const auto apart = ticks[n].at - before;
      before = ticks[n].at;
      CAPTURE(kid, n, apart);
      CHECK(apart >= 950);
      CHECK(apart <= 1900);
    }
  }
  CHECK(server.trace().count({.hook = "on_forking_idle"}) == 0);
  CHECK(server.trace().count({.hook = "on_prefork_child_idle", .pid = server.pid()}) == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("P15: every client of a crowd is served", "[P15]") {
  every_hook server{"prefork", pool(2, 4)};
  std::vector<client> crowd;
  for (int n = 0; n < 60; ++n) crowd.emplace_back(server.port());
  for (auto& one : crowd) CHECK(one.read_all() == hello);
  CHECK(server.stop() == 0);
}
