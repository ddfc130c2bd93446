#include "faults/faults.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

using namespace faults;

TEST_CASE("kids that end in on_child_start are forked with pauses, and the pool fills again when the cause has gone") {
  const std::string how = GENERATE(from_range(short_or_long<flags>({"exit", "break"}, {"exit", "kill", "throw", "break"})));
  CAPTURE(how);
  const temp_directory directory;
  const auto cause = directory / "cause";
  std::ofstream(cause) << how << std::endl;
  troubled_server server{{"--prefork=8", "--maxfork=8", "--stillborn=" + cause.string()}};
  const auto forks = [&] { return static_cast<int>(server.trace().count({.hook = "on_fork_ok"})); };

  server.trace().wait_for({.hook = "on_fork_ok", .nth = 9});  // the burst, and the first try
  const auto cpu = cpu_of(server);
  const auto seconds = short_or_long(2, 30);
  int before = forks();
  for (int n = 0; n < seconds; ++n) {
    let_pass(1s);
    const int now = forks();
    CHECK(now - before <= 10);
    CHECK(now > before);  // and never given up
    before = now;
  }
  CHECK(cpu_of(server) - cpu < seconds * 50ms);

  std::filesystem::remove(cause);
  stopwatch since;
  CHECK(server.has_kids(8, 10s));
  report("stillborn (" + how + "): the pool is full again after", static_cast<double>(since.elapsed().count()), "ms");
  CHECK(server.visit() == served);
  CHECK(server.stop() == 0);
}

TEST_CASE("kids that cannot be replaced for a while leave the others alone") {
  const temp_directory directory;
  const auto cause = directory / "cause";
  troubled_server server{{"--prefork=4", "--maxfork=4", "--stillborn=" + cause.string()}};
  REQUIRE(server.has_kids(4));
  std::ofstream(cause) << "exit" << std::endl;
  const auto kids = server.kids();
  for (auto kid = std::next(kids.begin()); kid != kids.end(); ++kid) {
    ::kill(*kid, SIGKILL);
    REQUIRE(wait_until_ended(*kid));
  }
  for (int n = 0; n < 20; ++n) CHECK(server.visit() == served);
  CHECK(server.kids().contains(*kids.begin()));
  std::filesystem::remove(cause);
  CHECK(server.has_kids(4, 10s));
  CHECK(server.stop() == 0);
}
