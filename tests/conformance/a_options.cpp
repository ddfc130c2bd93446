// Group A: what the options mean. The effective values stand in the line of on_server_begin.
#include "conformance/every_hook.hpp"

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
