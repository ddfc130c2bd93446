// Group A: what the options mean. The effective values stand in the line of on_server_begin.
#include "conformance/every_hook.hpp"

#include <algorithm>

using namespace conformance;

namespace {

trace_line effective(const std::string& policy, const flags& given) {
  every_hook server{policy, given};
  auto line = server.trace().wait_for({.hook = "on_server_begin"});
  server.port();
  CHECK(server.stop() == 0);
  return line;
}

struct row {
  flags given;
  long expected;
};

std::ostream& operator<<(std::ostream& out, const row& which) {
  return out << (which.given.empty() ? "unset" : which.given.front()) << " gives " << which.expected;
}

}  // namespace

TEST_CASE("A1: a timeout of 0, like none, is 4 s", "[A1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const auto given = GENERATE(flags{}, flags{"--timeout=0"});
  CAPTURE(policy, given);
  CHECK(effective(policy, given).number("timeout_ms") == 4000);
}

TEST_CASE("A2: the timeout is kept between 1 s and 3600 s", "[A2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const auto which = GENERATE(row{{"--timeout=-5"}, 1000}, row{{"--timeout=0.5"}, 1000}, row{{"--timeout=99999"}, 3600000},
                              row{{"--timeout=1.5"}, 1500}, row{{"--timeout=1"}, 1000}, row{{"--timeout=3600"}, 3600000});
  CAPTURE(policy, which);
  CHECK(effective(policy, which.given).number("timeout_ms") == which.expected);
}

TEST_CASE("A3: a px_idle below 1 s, like none, is 31 s", "[A3]") {
  const auto which = GENERATE(row{{}, 31000}, row{{"--px-idle=0"}, 31000}, row{{"--px-idle=-5"}, 31000},
                              row{{"--px-idle=0.5"}, 31000}, row{{"--px-idle=1"}, 1000}, row{{"--px-idle=7200"}, 7200000});
  CAPTURE(which);
  CHECK(effective("prefork", which.given).number("px_idle_ms") == which.expected);
}

TEST_CASE("A4: a maxfork of 0, like none, is 1024", "[A4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  const auto given = GENERATE(flags{}, flags{"--maxfork=0"});
  CAPTURE(policy, given);
  CHECK(effective(policy, given).number("maxfork") == 1024);
}

TEST_CASE("A4: a negative maxfork is no limit of ours", "[A4]") {
  every_hook server{"forking", hold + flags{"--maxfork=-1"}};
  auto first = hold_one(server);
  auto second = hold_one(server);
  auto third = hold_one(server);
  CHECK(first.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  CHECK(third.release() == answer("held\n"));
  CHECK(server.trace().count({.hook = "on_maxforked"}) == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("A5: prefork is 8 unless given", "[A5]") {
  CHECK(effective("prefork", {}).number("prefork") == 8);
  CHECK(effective("prefork", {"--prefork=3"}).number("prefork") == 3);
  CHECK(effective("prefork", {"--prefork=0"}).number("prefork") == 8);
}

TEST_CASE("A6: a negative prefork is both counts", "[A6]") {
  const auto line = effective("prefork", {"--prefork=-3"});
  CHECK(line.number("prefork") == 3);
  CHECK(line.number("maxfork") == 3);
}

TEST_CASE("A6: a negative prefork leaves a given maxfork alone", "[A6]") {
  const auto line = effective("prefork", {"--prefork=-3", "--maxfork=8"});
  CHECK(line.number("prefork") == 3);
  CHECK(line.number("maxfork") == 8);
}

TEST_CASE("A6: a pool of -3 has 3 kids and never more", "[A6]") {
  every_hook server{"prefork", hold + flags{"--prefork=-3"}};
  server.wait_for_kids(3);
  auto first = hold_one(server);
  auto second = hold_one(server);
  auto third = hold_one(server);
  CHECK(server.trace().quiet({.hook = "on_fork_ok"}, 1500ms));
  CHECK(server.kids().size() == 3);
  CHECK(third.release() == answer("held\n"));
  CHECK(second.release() == answer("held\n"));
  CHECK(first.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("A9: a port that is none is refused with a sentence, before anything is begun", "[A9]") {
  const std::string port = GENERATE(as<std::string>{}, "70000", "65536", "-1", "1.5", "80abc", "nosuchservice");
  CAPTURE(port);
  every_hook server{"forking", {"--port=" + port}};
  const int status = server.wait();
  CHECK(status > 0);
  CHECK(status != 100);
  CHECK(server.output().find("port") != std::string::npos);
  CHECK(server.trace().lines().empty());
}

TEST_CASE("A9: port 0 asks for a free port, which can be read once it listens", "[A9]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook first{policy, {"--port=0"}};
  every_hook second{policy, {"--port=0"}};
  CHECK(first.port() != 0);
  CHECK(second.port() != first.port());
  CHECK(visit(first) == hello);
  CHECK(visit(second) == hello);
  CHECK(first.stop() == 0);
  CHECK(second.stop() == 0);
}

namespace {

/// What the program says when its options are refused: before anything is bound, with one sentence.
std::string refused(const flags& given, const std::string& policy = "prefork", launch surroundings = {}) {
  every_hook server{policy, given, std::move(surroundings)};
  CHECK(server.wait() == 100);
  CHECK(server.parent_sequence() == "server_begin");
  const auto text = server.output();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  return text;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("A10: times of a client in the wrong order are refused with the inequality and its numbers", "[A10]") {
  CHECK(says(refused({"--client-timeout=30", "--soft-limit=20"}), "client_timeout < soft_limit does not hold: 30000 ms >= 20000 ms"));
  CHECK(says(refused({"--soft-limit=2", "--hard-limit=2"}), "soft_limit < hard_limit does not hold: 2000 ms >= 2000 ms"));
  CHECK(says(refused({"--hard-limit=60", "--grace=5"}, "forking"), "hard_limit < grace does not hold: 60000 ms >= 5000 ms"));
  CHECK(says(refused({"--transport=ssl", "--handshake-timeout=30", "--client-timeout=20"}, "nofork"),
             "handshake_timeout < client_timeout does not hold: 30000 ms >= 20000 ms"));
  CHECK(says(refused({"--hard-limit=0"}), "0 < hard_limit does not hold: 0 ms >= 0 ms"));
  CHECK(says(refused({"--grace=-1"}, "nofork"), "0 <= grace does not hold: 0 ms > -1000 ms"));
}

TEST_CASE("A10: the sentence comes before the port is looked at", "[A10]") {
  const occupied_port taken{"0.0.0.0"};
  CHECK(says(refused({"--port=" + std::to_string(taken.number()), "--soft-limit=2", "--hard-limit=1"}), "soft_limit < hard_limit"));
}

TEST_CASE("A10: one limit alone is served with, whatever the defaults of the others", "[A10]") {
  const auto given = GENERATE(flags{"--client-timeout=300"}, flags{"--hard-limit=300"}, flags{"--soft-limit=300"}, flags{"--grace=1"},
                              flags{"--grace=0"}, flags{"--grace=0", "--hard-limit=5"}, flags{"--handshake-timeout=300"},
                              flags{"--handshake-timeout=1", "--client-timeout=2", "--soft-limit=3", "--hard-limit=4", "--grace=5"});
  CAPTURE(given);
  every_hook server{"prefork", given};
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("A10: maxfork below prefork wins, and the log says so with both numbers", "[A10]") {
  every_hook server{"prefork", {"--prefork=4", "--maxfork=2"}};
  server.wait_for_kids(2);
  CHECK(says(server.output(), "prefork <= maxfork does not hold: 4 > 2"));
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
  CHECK(server.trace().wait_for({.hook = "on_server_begin"}).number("maxfork") == 2);
}

TEST_CASE("A10: a process that may not have the descriptors of a server is refused, one that may is served by", "[A10]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  // As few as can be: the number that the refusal itself tells.
  launch few;
  few.in_front = {"prlimit", "--nofile=10"};
  const auto text = refused({}, policy, few);
  const auto at = text.find("open descriptors + 6 <= RLIMIT_NOFILE does not hold: ");
  REQUIRE(at != std::string::npos);
  const int needed = std::stoi(text.substr(text.find("hold: ", at) + 6));
  launch enough;
  enough.in_front = {"prlimit", "--nofile=" + std::to_string(needed)};
  every_hook server{policy, {"--prefork=2", "--maxfork=2"}, enough};
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_accept_error"}) == 0);
}
