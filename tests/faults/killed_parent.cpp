#include "faults/faults.hpp"
#include "support/temp_directory.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>

using namespace faults;

namespace {

/// Whether another server could listen there now, with SO_REUSEADDR as ours do.
bool port_is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(port);
  const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 && ::listen(fd, 1) == 0;
  ::close(fd);
  return free;
}

/// `unshare` gives the server a namespace in which it is process 1; nothing where the system does not let us.
launch as_process_1() {
  launch surroundings;
  surroundings.in_front = {"unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"};
  return surroundings;
}
bool may_unshare() { return std::system("unshare --user --map-root-user --pid --fork --mount-proc true 2>/dev/null") == 0; }

/// The number that the server has outside of its namespace: the child of `unshare`.
pid_t outside(troubled_server& server) {
  server.port();
  for (const auto& process : all_processes()) {
    if (process.name.starts_with("troubled") && look_at(process.parent).value_or(process_state{}).name == "unshare" &&
        title_of(process.pid).find(server.trace().path().string()) != std::string::npos)
      return process.pid;
  }
  return 0;
}

}  // namespace

TEST_CASE("idle kids of a killed parent are gone within 100 ms, and so is all that it had") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const auto objects = ipc_objects();
  double worst = 0;
  for (int round = 0; round < 5; ++round) {
    worst = 0;
    for (int n = 0; n < short_or_long(5, 50); ++n) {
      troubled_server server{{"--policy=" + policy, "--prefork=8", "--maxfork=8"}};
      const auto port = server.port();
      if (policy == "prefork") REQUIRE(server.has_kids(8));
      REQUIRE(server.visit() == served);
      server.signal(SIGKILL);
      stopwatch since;
      CHECK(server.wait_for_parent() == -SIGKILL);
      CHECK(eventually([&] { return port_is_free(port); }, 5s));
      CHECK(server.wait_until_gone(5s));
      worst = std::max(worst, static_cast<double>(since.elapsed().count()));
      CHECK(ipc_objects() == objects);
    }
    report(policy + ": all gone after the parent was killed, worst", worst, "ms");
    if (worst <= 100) break;
  }
  CHECK(worst <= 100);
}

TEST_CASE("busy kids of a killed parent finish their clients, take no other, and leave the port free") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  troubled_server server{{"--policy=" + policy, "--prefork=8", "--maxfork=8", "--hold"}};
  const auto port = server.port();
  if (policy == "prefork") REQUIRE(server.has_kids(8));
  std::vector<held_client> held;
  for (int n = 0; n < 4; ++n) held.push_back(hold_one(server));
  const auto kids = server.kids();
  server.signal(SIGKILL);
  CHECK(server.wait_for_parent() == -SIGKILL);
  for (const pid_t kid : kids) {
    const bool busy = std::any_of(held.begin(), held.end(), [kid](const auto& one) { return one.by == kid; });
    if (!busy) CHECK(wait_until_ended(kid, 5s));
  }
  for (auto& one : held) {
    CHECK(alive(one.by));
    CHECK(one.connection.ask("go\n") == served);
  }
  CHECK(server.wait_until_gone(5s));
  CHECK(port_is_free(port));
}

TEST_CASE("a parent killed under load leaves nothing, at whatever instant it was") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  for (int n = 0; n < short_or_long(3, 100); ++n) {
    troubled_server server{{"--policy=" + policy, "--prefork=4", "--maxfork=32"}};
    const auto port = server.port();
    load_run load{port, {"--clients", "8", "--seconds", "20", "--until-stop"}};
    let_pass(milliseconds{50 + n * 7 % 50});
    server.signal(SIGKILL);
    CHECK(server.wait_for_parent() == -SIGKILL);
    CHECK(server.wait_until_gone(5s));
    CHECK(port_is_free(port));
    load.join();
  }
}

TEST_CASE("killed as process 1 of its namespace it leaves nothing either") {
  if (!may_unshare()) WAITER_SKIP("no namespaces here");
  const auto objects = ipc_objects();
  troubled_server server{{"--prefork=4", "--maxfork=4"}, as_process_1()};
  const auto port = server.port();
  REQUIRE(server.visit() == served);
  const pid_t parent = outside(server);
  REQUIRE(parent != 0);
  REQUIRE(eventually([&] { return children_of(parent).size() == 4; }));
  const auto kids = children_of(parent);
  ::kill(parent, SIGKILL);
  stopwatch since;
  CHECK(eventually([&] { return port_is_free(port); }, 5s));
  for (const pid_t kid : kids) CHECK(wait_until_ended(kid, 5s));
  report("process 1 killed: port free and kids gone after", static_cast<double>(since.elapsed().count()), "ms");
  server.wait_for_parent();
  CHECK(server.wait_until_gone(5s));
  CHECK(ipc_objects() == objects);
}

TEST_CASE("as process 1 it leaves the program's own children to the program, and reaps what they leave behind") {
  if (!may_unshare()) WAITER_SKIP("no namespaces here");
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const temp_directory directory;
  const auto end = directory / "end";
  troubled_server server{{"--policy=" + policy, "--prefork=2", "--maxfork=2", "--family=" + end.string()}, as_process_1()};
  const pid_t parent = outside(server);
  REQUIRE(parent != 0);
  // Before run(), in on_listen_ok, in on_sig_usr1.
  ::kill(parent, SIGUSR1);
  REQUIRE(server.trace().wait_for({.hook = "on_sig_usr1"}).number("children") == 3);
  const std::size_t kids = policy == "prefork" ? 2 : 0;
  REQUIRE(eventually([&] { return children_of(parent).size() == 3 + kids; }));
  std::ofstream(end.string()).close();
  const auto ended = [&] {
    const auto children = children_of(parent);
    return std::count_if(children.begin(), children.end(), [](pid_t child) { return !alive(child); });
  };
  // Each has given its orphan to process 1 by the time it has ended. One of them has ended first, and hides the orphans in waitid.
  CHECK(eventually([&] { return ended() >= 3; }));
  CHECK(eventually([&] { return children_of(parent).size() == 3 + kids; }, 1500ms));
  CHECK(ended() == 3);
  ::kill(parent, SIGUSR1);
  CHECK(eventually([&] { return children_of(parent).size() == kids; }));
  CHECK(server.trace().wait_for({.hook = "on_sig_usr1", .nth = 2}).number("right") == 3);
  ::kill(parent, SIGTERM);
  CHECK(server.wait_for_parent() == 0);
  CHECK(server.wait_until_gone(5s));
}

TEST_CASE("as process 1 without kids it leaves those to the program that on_process has started") {
  if (!may_unshare()) WAITER_SKIP("no namespaces here");
  troubled_server server{{"--policy=nofork", "--orphan"}, as_process_1()};
  const pid_t parent = outside(server);
  REQUIRE(parent != 0);
  for (int n = 0; n < 3; ++n) REQUIRE(server.visit() == served);
  // Nobody waits for them, so they stay.
  const auto started = children_of(parent);
  REQUIRE(started.size() == 3);
  for (const pid_t child : started) REQUIRE(wait_until_ended(child));
  ::kill(parent, SIGHUP);
  server.trace().wait_for({.hook = "on_sig_hup"});  // it has been through its loop since
  REQUIRE(server.visit() == served);
  for (const pid_t child : started) CHECK(children_of(parent).count(child) == 1);
  ::kill(parent, SIGTERM);
  CHECK(server.wait_for_parent() == 0);
  CHECK(server.wait_until_gone(5s));
}

TEST_CASE("as process 1 it reaps the orphans that it inherits, and they change no count") {
  if (!may_unshare()) WAITER_SKIP("no namespaces here");
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  // A kid that has gone leaves its process to process 1: in forking at once, in prefork when it is killed.
  troubled_server server{{"--policy=" + policy, "--prefork=4", "--maxfork=32", "--orphan"}, as_process_1()};
  const pid_t parent = outside(server);
  REQUIRE(parent != 0);
  for (int n = 0; n < short_or_long(50, 2000); ++n) {
    REQUIRE(server.visit() == served);
    if (policy != "prefork" || n % 5 != 0) continue;
    const pid_t kid = *children_of(parent).begin();
    ::kill(kid, SIGKILL);
    REQUIRE(wait_until_ended(kid));
  }
  const std::size_t kids = policy == "prefork" ? 4 : 0;
  CHECK(eventually([&] { return children_of(parent).size() == kids; }, 1500ms));
  ::kill(parent, SIGHUP);
  CHECK(server.trace().wait_for({.hook = "on_sig_hup"}).number("kids") == static_cast<long>(kids));
  ::kill(parent, SIGTERM);
  CHECK(server.wait_for_parent() == 0);
  CHECK(server.wait_until_gone(5s));
}
