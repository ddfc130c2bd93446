#include "faults/faults.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <random>

using namespace faults;

namespace {

pid_t any_of(const std::set<pid_t>& kids, std::mt19937& dice) {
  auto at = kids.begin();
  std::advance(at, static_cast<long>(dice() % kids.size()));
  return *at;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a kid killed in the middle of its client costs exactly that client") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  troubled_server server{{"--policy=" + policy, "--prefork=4", "--maxfork=64", "--hold"}};
  std::vector<held_client> held;
  for (int n = 0; n < 8; ++n) held.push_back(hold_one(server));
  ::kill(held[3].by, SIGKILL);
  ::kill(held[5].by, SIGSEGV);
  for (std::size_t n = 0; n < held.size(); ++n) {
    CAPTURE(n);
    const auto got = held[n].connection.ask("go\n");
    if (n == 3 || n == 5)
      CHECK(got.text.empty());
    else
      CHECK(got == served);
  }
  CHECK(server.visit(500ms).how == outcome::timed_out);  // and the next one is in hand
  CHECK(server.stop() == 0);
}

// The pool has one kid, so the answer proves that the new one accepts; the time has a client's own in it. The promise is 50 ms for
// 99 of 100 where the machine is not busy with something else, so a round that is disturbed is repeated.
TEST_CASE("a killed kid of a 64 MB parent is replaced by one that accepts within 50 ms") {
  troubled_server server{{"--prefork=1", "--maxfork=1", "--ballast=64"}};
  REQUIRE(server.visit() == served);
  const int times = short_or_long(100, 1000);
  double p99 = 0;
  for (int round = 0; round < 5; ++round) {
    std::vector<double> sample;
    for (int n = 0; n < times; ++n) {
      const pid_t before = *server.kids().begin();
      const auto start = std::chrono::steady_clock::now();
      ::kill(before, SIGKILL);
      REQUIRE(wait_until_ended(before));
      REQUIRE(server.visit() == served);
      sample.push_back(milliseconds_since(start));
    }
    p99 = percentile(sample, 99);
    report("replaced, median", percentile(sample, 50), "ms");
    report("replaced, p99", p99, "ms");
    if (p99 <= 50) break;
  }
  CHECK(p99 <= 50);
  CHECK(server.stop() == 0);
}

TEST_CASE("a kid stopped at any instant holds up nobody, and is replaced") {
  troubled_server server{{"--prefork=4", "--maxfork=4"}};
  REQUIRE(server.has_kids(4));
  std::mt19937 dice{4711};
  const int rounds = short_or_long(3, 60);
  for (int round = 0; round < rounds; ++round) {
    // Under load, so that it is stopped in accept, in a client, or between the two; one client at most is in its hands.
    load_run load{server.port(), {"--clients", "8", "--seconds", "1", "--patience", "5"}};
    let_pass(milliseconds{100 + static_cast<int>(dice() % 20)});
    const pid_t stopped = any_of(server.kids(), dice);
    ::kill(stopped, SIGSTOP);
    load.join();
    CAPTURE(round, load.text());
    CHECK(load["closed_without_answer"] + load["reset_after_connect"] <= 1);
    CHECK(load["answer_timeout"] == 0);
    CHECK(load["refused"] == 0);
    CHECK(load["longest_pause_ms"] < 1000);
    CHECK(wait_until_ended(stopped, 3s));
  }
  CHECK(server.has_kids(4, 1s));
  CHECK(server.stop() == 0);
}

TEST_CASE("all kids stopped at once are replaced, and one that is continued in time goes on") {
  troubled_server server{{"--prefork=4", "--maxfork=4"}};
  REQUIRE(server.has_kids(4));
  const auto kids = server.kids();
  for (const pid_t kid : kids) {
    ::kill(kid, SIGSTOP);
    // Before that it may still take a client, which would then be its own.
    REQUIRE(eventually([kid] { return look_at(kid).value_or(process_state{}).state == 'T'; }));
  }
  ::kill(*kids.begin(), SIGCONT);
  CHECK(server.visit(5s) == served);
  for (const pid_t kid : kids) {
    if (kid != *kids.begin()) CHECK(wait_until_ended(kid, 3s));
  }
  CHECK(alive(*kids.begin()));
  CHECK(server.has_kids(4, 3s));
  CHECK(server.stop() == 0);
}

TEST_CASE("a stopped kid of forking keeps nobody else waiting") {
  troubled_server server{{"--policy=forking", "--hold"}};
  auto held = hold_one(server);
  ::kill(held.by, SIGSTOP);
  for (int n = 0; n < 20; ++n) {
    auto other = hold_one(server);
    CHECK(other.connection.ask("go\n") == served);
  }
  ::kill(held.by, SIGCONT);
  CHECK(held.connection.ask("go\n") == served);
  CHECK(server.stop() == 0);
}

TEST_CASE("a storm that kills or stops ten kids a second never silences the server, and leaves the pool at its size") {
  troubled_server server{{"--prefork=8", "--maxfork=8", "--work=2"}};
  REQUIRE(server.has_kids(8));
  const auto seconds = short_or_long(10, 60);
  load_run load{server.port(), {"--clients", "16", "--seconds", std::to_string(seconds), "--patience", "5"}};
  std::mt19937 dice{42};
  constexpr std::array<int, 3> blows{SIGKILL, SIGSEGV, SIGSTOP};
  int struck = 0;
  for (const deadline end{std::chrono::seconds(seconds)}; !end.over(); let_pass(100ms)) {
    const auto kids = server.kids();
    if (kids.empty()) continue;
    ::kill(any_of(kids, dice), blows[dice() % blows.size()]);
    ++struck;
  }
  CHECK(server.has_kids(8, 1s));
  load.join();
  CAPTURE(struck, load.text());
  report("storm: longest silence", static_cast<double>(load["longest_pause_ms"]), "ms");
  report("storm: clients a second", static_cast<double>(load["per_second"]), "");
  CHECK(load["longest_pause_ms"] < 1000);
  CHECK(load["answered"] > 100 * seconds);
  CHECK(load["refused"] + load["connect_timeout"] + load["answer_timeout"] + load["own_error"] == 0);
  CHECK(load["closed_without_answer"] + load["reset_after_connect"] <= struck);  // each blow cost at most one client
  CHECK(server.has_kids(8, 1s));
  CHECK(server.stop() == 0);
}
