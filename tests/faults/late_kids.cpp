#include "faults/faults.hpp"

#include <csignal>
#include <thread>

using namespace faults;

namespace {

flags limited(const std::string& policy) {
  // Others stand idle, so nothing but the limit draws the parent's eye to the one that has a client.
  return {"--policy=" + policy, "--prefork=4", "--maxfork=8", "--soft-limit=300", "--hard-limit=900"};
}

flags operator+(flags left, const flags& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

void wait_till_quiet(troubled_server& server, const std::string& policy) {
  if (policy == "prefork") REQUIRE(server.has_kids(4));
}

}  // namespace

TEST_CASE("a kid whose client takes too long is told so at the soft limit, and killed at the hard one") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  troubled_server server{limited(policy) + flags{"--hold"}};
  wait_till_quiet(server, policy);
  // The promise is 50 ms for the hook and 100 ms for the end, on a machine that does nothing else.
  double reminded = 0, ended = 0;
  for (int round = 0; round < 5; ++round) {
    stopwatch since;
    auto held = hold_one(server);
    server.trace().wait_for({.hook = "on_child_overtime", .pid = held.by});
    reminded = static_cast<double>(since.elapsed().count());
    const auto died = server.trace().wait_for({.hook = "on_sig_child", .values = {{"pid", std::to_string(held.by)}}});
    ended = static_cast<double>(since.elapsed().count());
    CHECK(died.number("status") == SIGKILL);
    CHECK(reminded >= 290);
    CHECK(ended >= 890);
    CHECK(server.trace().count({.hook = "on_child_overtime", .pid = held.by}) == 1);
    CHECK(held.connection.read_all().text.empty());
    if (reminded <= 350 && ended <= 1000) break;
  }
  report(policy + ": reminded, with 300", reminded, "ms");
  report(policy + ": killed, with 900", ended, "ms");
  CHECK(reminded <= 450);
  CHECK(ended <= 1100);
  if (policy == "prefork") CHECK(server.has_kids(4, 1s));
  CHECK(server.stop() == 0);
}

TEST_CASE("a kid that does not wait for its client is killed at the hard limit all the same") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  troubled_server server{limited(policy) + flags{"--busy"}};
  wait_till_quiet(server, policy);
  auto held = hold_one(server);
  const auto died = server.trace().wait_for({.hook = "on_sig_child"}, 5s);
  CHECK(died.number("pid") == held.by);
  CHECK(died.number("status") == SIGKILL);
  CHECK(server.stop() == 0);
}

TEST_CASE("a group that was suspended for longer than the hard limit loses nobody") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  troubled_server server{{"--policy=" + policy, "--prefork=4", "--maxfork=8", "--hard-limit=900", "--hold"}};
  wait_till_quiet(server, policy);
  const auto span = short_or_long(1500ms, 60000ms);
  for (int round = 0; round < short_or_long(1, 3); ++round) {
    auto held = hold_one(server);
    const auto kids = server.kids();
    ::kill(-server.pid(), SIGSTOP);
    let_pass(span);
    ::kill(-server.pid(), SIGCONT);
    CHECK(held.connection.ask("go\n") == served);
    CHECK(server.trace().count({.hook = "on_sig_child"}) == 0);
    if (policy == "prefork") CHECK(server.kids() == kids);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("rapid suspensions in all phases kill nobody") {
  troubled_server server{{"--prefork=4", "--maxfork=4", "--hard-limit=900", "--work=1"}};
  REQUIRE(server.has_kids(4));
  const auto kids = server.kids();
  load_run load{server.port(), {"--clients", "4", "--seconds", std::to_string(short_or_long(2, 60))}};
  for (const deadline end{std::chrono::seconds(short_or_long(1, 59))}; !end.over();) {
    ::kill(-server.pid(), SIGSTOP);
    let_pass(20ms);
    ::kill(-server.pid(), SIGCONT);
    let_pass(7ms);
  }
  load.join();
  CAPTURE(load.text());
  CHECK(load.status() == 0);
  CHECK(server.kids() == kids);
  CHECK(server.stop() == 0);
}

TEST_CASE("on a starved machine nobody is killed for the time that he did not get") {
  troubled_server server{{"--prefork=4", "--maxfork=4", "--hard-limit=1500", "--work=300"}};
  REQUIRE(server.has_kids(4));
  const auto kids = server.kids();
  load_run load{server.port(), {"--clients", "4", "--seconds", std::to_string(short_or_long(2, 60))}};
  std::vector<std::jthread> hungry;
  for (int n = 0; n < 8; ++n)
    hungry.emplace_back([](std::stop_token stop) {
      while (!stop.stop_requested()) continue;
    });
  load.join();
  hungry.clear();
  CAPTURE(load.text());
  CHECK(load.status() == 0);
  CHECK(load["answered"] > 0);
  CHECK(server.kids() == kids);
  CHECK(server.stop() == 0);
}
