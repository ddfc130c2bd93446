#include "faults/faults.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace faults;

TEST_CASE("each of the program's own children gives its status to the program, whatever the server does meanwhile") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const int children = short_or_long(200, 1000);
  troubled_server server{{"--policy=" + policy, "--prefork=4", "--maxfork=4", "--prop-sigusr", "--children=" + std::to_string(children)}};
  const auto port = server.port();
  {
    // Kids come and go, and are killed, while the strangers end.
    load_run load{port, {"--clients", "4", "--seconds", std::to_string(short_or_long(1, 2))}};
    for (int n = 0; policy == "prefork" && n < short_or_long(8, 18); ++n) {
      for (const pid_t one : server.kids()) {
        if (title_of(one).find(" | ") == std::string::npos) continue;  // kids have titles, strangers have none
        ::kill(one, SIGKILL);
        break;
      }
      let_pass(100ms);
    }
    load.join();
    CAPTURE(load.text());
    CHECK(load["answered"] > 0);
    CHECK(load["refused"] + load["answer_timeout"] + load["own_error"] == 0);
  }
  const auto account = server.account();  // they are not counted
  if (policy == "prefork") CHECK(account.number("kids") <= 4);
  if (policy == "forking") CHECK(account.number("kids") == 0);
  server.signal(SIGUSR1);
  CHECK(server.trace().wait_for({.hook = "on_sig_usr1"}).number("right") == children);
  CHECK(server.stop() == 0);
}

TEST_CASE("a stop signals and waits for kids only") {
  troubled_server server{{"--prefork=2", "--maxfork=2", "--children=30"}};
  server.port();
  server.signal(SIGTERM);
  CHECK(server.wait_for_parent() == 0);
  // Those that still ran end by themselves, with their own status: here they are ours (PR_SET_CHILD_SUBREAPER).
  CHECK(server.wait_until_gone(5s));
}

TEST_CASE("where numbers of processes are scarce and used again at once, no stranger gets a signal") {
  if (std::system("unshare --user --map-root-user --pid --fork --mount-proc true 2>/dev/null") != 0) WAITER_SKIP("no namespaces here");
  const long clients = short_or_long(3000L, 100000L);
  launch surroundings;
  surroundings.in_front = {"unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc", built("WAITER_CROWD")};
  troubled_server server{{"--policy=forking", "--maxfork=64", "--prop-sigusr"}, surroundings};
  const auto port = server.port();
  load_run load{port, {"--clients", "16", "--count", std::to_string(clients), "--seconds", std::to_string(short_or_long(30, 600))}};
  load.join();
  CAPTURE(load.text());
  CHECK(load["answered"] == clients);
  const auto report_of = [&] { return server.output(); };
  // `crowd` is process 1 there; it ends the server, and tells what it has seen.
  for (const auto& process : all_processes()) {
    if (process.name != "crowd" || look_at(process.parent).value_or(process_state{}).name != "unshare") continue;
    if (title_of(process.pid).find(server.trace().path().string()) != std::string::npos) ::kill(process.pid, SIGTERM);
  }
  server.wait_for_parent();
  CAPTURE(report_of());
  std::istringstream words(report_of());
  std::map<std::string, long> seen;
  std::string name;
  for (std::string line; std::getline(words, line);) {
    std::istringstream one(line);
    long value = 0;
    if (one >> name >> value) seen[name] = value;
  }
  if (seen["pid_max"] > 1000) WAITER_SKIP("the numbers of a namespace cannot be limited before Linux 6.14");
  report("strangers that lived beside the kids", static_cast<double>(seen["strangers"]), "");
  CHECK(seen["server_status"] == 0);
  CHECK(seen["signals_sent"] > 0);
  CHECK(seen["strangers"] > 100);
  CHECK(seen["strangers_hit"] == 0);
}

TEST_CASE("a fork is refused while a second thread lives, unless that was asked for") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  {
    troubled_server server{{"--policy=" + policy, "--prefork=2", "--maxfork=2", "--thread"}};
    server.port();
    if (policy == "forking") CHECK(server.visit().how == outcome::end_of_stream);
    CHECK(eventually([&] { return server.output().find("fork failed: ") != std::string::npos; }));
    CHECK(server.output().find("thread") != std::string::npos);
    CHECK(server.kids().empty());
    CHECK(server.stop() == 0);
  }
  troubled_server server{{"--policy=" + policy, "--prefork=2", "--maxfork=2", "--thread", "--allow-threads"}};
  CHECK(server.visit() == served);
  CHECK(server.stop() == 0);
}

TEST_CASE("no descriptor is needed to find the second thread") {
  troubled_server server{{"--policy=forking", "--thread"}};
  server.port();
  // One more descriptor than it has: the client's. There is none left to look into a directory.
  const rlimit few{static_cast<rlim_t>(lowest_free_descriptor(server.pid()) + 1), 64};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
  CHECK(server.visit().how == outcome::end_of_stream);
  CHECK(eventually([&] { return server.output().find("fork failed: ") != std::string::npos; }, 5s));
  CHECK(server.stop() == 0);
}
