#include "faults/faults.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

using namespace faults;

namespace {

/// The pool has a fixed size; forking has room for all who wait.
std::string most(const std::string& policy, int pool) { return "--maxfork=" + std::to_string(policy == "prefork" ? pool : 64); }

/// How often the log says it.
long lines_with(const std::string& text, const std::string& what) {
  long count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

/// How long until somebody is served again.
double recovery(troubled_server& server) {
  stopwatch since;
  CHECK(server.visit(10s) == served);
  return static_cast<double>(since.elapsed().count());
}

/// Limits the descriptors of the server and of its kids to those that they have.
void no_more_descriptors(troubled_server& server, bool limited) {
  auto all = children_of(server.pid());
  all.insert(server.pid());
  for (const pid_t pid : all) {
    rlimit now{};
    ::prlimit(pid, RLIMIT_NOFILE, nullptr, &now);
    now.rlim_cur = limited ? static_cast<rlim_t>(lowest_free_descriptor(pid)) : now.rlim_max;
    ::prlimit(pid, RLIMIT_NOFILE, &now, nullptr);
  }
}

const auto span = short_or_long(1000ms, 5000ms);
/// Milliseconds from the end of the trouble to service: what is promised, and in the short form what a busy machine adds.
const int back_within = short_or_long(500, 200);

struct trouble_with {
  std::string policy;
  int reason;
};

/// All of them, or as many as show each policy and each reason.
std::vector<trouble_with> accept_troubles() {
  if (!soaking()) return {{"nofork", EMFILE}, {"forking", ENFILE}, {"prefork", ENOBUFS}, {"prefork", ENOMEM}};
  std::vector<trouble_with> all;
  for (const char* policy : {"nofork", "forking", "prefork"}) {
    for (const int reason : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) all.push_back({policy, reason});
  }
  return all;
}
std::vector<trouble_with> fork_troubles() {
  if (!soaking()) return {{"forking", EAGAIN}, {"prefork", ENOMEM}};
  return {{"forking", EAGAIN}, {"forking", ENOMEM}, {"prefork", EAGAIN}, {"prefork", ENOMEM}};
}

}  // namespace

TEST_CASE("when accept runs out of something the server says so, waits, and serves again as soon as it can") {
  const auto chosen = GENERATE(from_range(accept_troubles()));
  const std::string policy = chosen.policy;
  const int reason = chosen.reason;
  CAPTURE(policy, std::strerror(reason));
  injection trouble;
  troubled_server server{{"--policy=" + policy, "--prefork=8", most(policy, 8)}, trouble.surroundings()};
  if (policy == "prefork") REQUIRE(server.has_kids(8));
  REQUIRE(server.visit() == served);

  trouble->accept.error = reason;
  std::vector<client> waiting;  // one wakes each process that is in accept already; the rest find the trouble
  for (int n = 0; n < 16; ++n) waiting.emplace_back(server.port());
  server.trace().wait_for({.hook = "on_accept_error"});
  const auto cpu = cpu_of(server);
  const long calls = trouble->accept.calls;
  let_pass(span);
  const auto used = cpu_of(server) - cpu;
  const auto tried = trouble->accept.calls - calls;
  trouble->accept.error = 0;

  const double back = recovery(server);
  report("accept: " + policy + ", " + std::strerror(reason) + ": served again after", back, "ms");
  CHECK(back <= back_within);
  CHECK(used < span / 20);
  const int processes = policy == "prefork" ? 8 : 1;
  CHECK(tried <= processes * (span / 100ms + 3));  // a pause after each failure, no loop
  for (const auto& line : server.trace().all({.hook = "on_accept_error"})) CHECK(line.number("error") == reason);
  // One line a second, of all processes together.
  CHECK(lines_with(server.output(), "accept failed: ") <= span / 1s + 2);
  for (auto& one : waiting) CHECK(one.read_all() == served);
  CHECK(server.stop() == 0);
}

TEST_CASE("a server without a descriptor left serves again when there is one") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  troubled_server server{{"--policy=" + policy, "--prefork=4", most(policy, 4)}};
  if (policy == "prefork") REQUIRE(server.has_kids(4));
  server.port();  // a client would be a descriptor that is about to go
  no_more_descriptors(server, true);
  std::vector<client> waiting;
  for (int n = 0; n < 8; ++n) waiting.emplace_back(server.port());
  CHECK(server.trace().wait_for({.hook = "on_accept_error"}).number("error") == EMFILE);
  const auto cpu = cpu_of(server);
  let_pass(span);
  CHECK(cpu_of(server) - cpu < span / 20);
  no_more_descriptors(server, false);
  CHECK(recovery(server) <= back_within);
  for (auto& one : waiting) CHECK(one.read_all() == served);
  CHECK(server.stop() == 0);
}

TEST_CASE("a server that stops while accept has nothing left for anybody ends in time") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  injection trouble;
  troubled_server server{{"--policy=" + policy, "--prefork=4", most(policy, 4)}, trouble.surroundings()};
  server.port();
  trouble->accept.error = EMFILE;
  client waiting{server.port()};
  client another{server.port()};
  server.trace().wait_for({.hook = "on_accept_error"});
  CHECK(server.stop(5s) == 0);
}

TEST_CASE("a fork that fails is tried again, costs nothing meanwhile, and the client who waits for it is served") {
  const auto chosen = GENERATE(from_range(fork_troubles()));
  const std::string policy = chosen.policy;
  const int reason = chosen.reason;
  CAPTURE(policy, std::strerror(reason));
  injection trouble;
  trouble->fork.error = policy == "prefork" ? reason : 0;  // there from the start
  troubled_server server{{"--policy=" + policy, "--prefork=8", most(policy, 8)}, trouble.surroundings()};
  server.port();
  trouble->fork.error = reason;
  std::vector<client> waiting;
  for (int n = 0; n < 4; ++n) waiting.emplace_back(server.port());
  REQUIRE(eventually([&] { return server.output().find("fork failed: ") != std::string::npos; }));

  const auto cpu = cpu_of(server);
  const long calls = trouble->fork.calls;
  let_pass(span);
  CHECK(cpu_of(server) - cpu < span / 20);
  CHECK(trouble->fork.calls - calls <= span / 100ms + 3);
  trouble->fork.error = 0;
  stopwatch since;
  for (auto& one : waiting) CHECK(one.read_all() == served);
  report("fork: " + policy + ", " + std::strerror(reason) + ": served again after", static_cast<double>(since.elapsed().count()), "ms");
  CHECK(since.elapsed() <= milliseconds{back_within});
  if (policy == "prefork") CHECK(server.has_kids(8, 1s));
  CHECK(lines_with(server.output(), "fork failed: ") <= span / 1s + 2);
  CHECK(server.stop() == 0);
}

TEST_CASE("a pool whose kids cannot be replaced serves with those that are left, and fills up afterwards") {
  injection trouble;
  troubled_server server{{"--prefork=4", "--maxfork=4"}, trouble.surroundings()};
  REQUIRE(server.has_kids(4));
  trouble->fork.error = ENOMEM;
  const auto kids = server.kids();
  for (auto kid = std::next(kids.begin()); kid != kids.end(); ++kid) {
    ::kill(*kid, SIGKILL);
    REQUIRE(wait_until_ended(*kid));
  }
  load_run load{server.port(), {"--clients", "4", "--seconds", "1"}};
  load.join();
  CAPTURE(load.text());
  CHECK(load.status() == 0);
  trouble->fork.error = 0;
  stopwatch since;
  CHECK(server.has_kids(4, 2s));
  report("pool full again after forks work", static_cast<double>(since.elapsed().count()), "ms");
  CHECK(server.stop() == 0);
}

TEST_CASE("a full disk under the log costs lines, and nothing else") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "prefork");
  CAPTURE(policy);
  injection trouble;
  troubled_server server{{"--policy=" + policy, "--prefork=4", most(policy, 4), "--soft-limit=100", "--work=200"}, trouble.surroundings()};
  server.port();
  trouble->log.error = ENOSPC;
  trouble->accept.error = EMFILE;  // something to log, all the time
  client waiting{server.port()};
  client another{server.port()};
  server.trace().wait_for({.hook = "on_accept_error"});
  const auto cpu = cpu_of(server);
  let_pass(span);
  CHECK(cpu_of(server) - cpu < span / 20);
  trouble->accept.error = 0;
  CHECK(recovery(server) <= 1000);
  CHECK(trouble->log.calls > 0);
  CHECK(server.output().empty());
  trouble->log.error = 0;
  trouble->accept.error = EMFILE;
  client third{server.port()};
  client fourth{server.port()};
  client fifth{server.port()};
  client sixth{server.port()};
  client seventh{server.port()};
  CHECK(eventually([&] { return server.output().find("accept failed: ") != std::string::npos; }, 5s));
  CHECK(server.stop() == 0);
}
