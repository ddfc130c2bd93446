// Group L: where a server listens.
#include "conformance/every_hook.hpp"

#include "support/temp_directory.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace conformance;

namespace {

namespace fs = std::filesystem;

flags sized(const std::string& policy) { return policy == "prefork" ? flags{"--prefork=4", "--maxfork=4"} : flags{}; }

/// The ports of the places that it told, in their order; 0 stands for a UNIX socket.
std::vector<std::uint16_t> ports_of(every_hook& server) {
  std::vector<std::uint16_t> ports;
  std::string places = server.trace().wait_for({.hook = "on_listen_ok"}).text("places");
  for (std::size_t at = 0; at < places.size();) {
    const auto end = std::min(places.find(",_", at), places.size());
    const auto place = places.substr(at, end - at);
    std::uint16_t port = 0;
    if (place.rfind("unix:", 0) != 0) std::from_chars(place.data() + place.rfind(':') + 1, place.data() + place.size(), port);
    ports.push_back(port);
    at = end + 2;
  }
  return ports;
}

/// Two ports and two UNIX sockets, one of them without a file.
struct places {
  temp_directory directory{};
  std::string path = (directory / "x.sock").string();
  std::string name = "@" + path;
  flags all{"--listen=127.0.0.1:0", "--listen=unix:" + path, "--listen=127.0.0.1:0", "--listen=unix:" + name};
};

}  // namespace

TEST_CASE("L1: a server listens on several places, and serves who comes at any of them", "[L1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  places there;
  every_hook server{policy, there.all + sized(policy)};
  const auto ports = ports_of(server);
  REQUIRE(ports.size() == 4);
  CHECK(server.port() == ports[0]);
  for (int round = 0; round < 3; ++round) {
    CHECK(client{ports[0]}.read_all() == hello);
    CHECK(client::at_socket(there.path).read_all() == hello);
    CHECK(client{ports[2]}.read_all() == hello);
    CHECK(client::at_socket(there.name).read_all() == hello);
  }
  CHECK(server.stop() == 0);
  CHECK_FALSE(client{ports[2]}.connected());
  CHECK_FALSE(client::at_socket(there.name).connected());
  CHECK_FALSE(fs::exists(there.path));
}

TEST_CASE("L2: several places are as idle together as one is, and signals come through while nobody does", "[L2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  places there;
  every_hook server{policy, there.all + sized(policy) + flags{"--timeout=1"}};
  const auto ports = ports_of(server);
  const std::string idle = policy == "prefork" ? "on_prefork_child_idle" : "on_forking_idle";
  const auto first = server.trace().wait_for({.hook = idle});
  CHECK(first.at - server.trace().wait_for({.hook = "on_listen_ok"}).at >= 950);
  server.trace().wait_for({.hook = idle, .pid = first.pid, .nth = 2});
  server.signal(SIGHUP);
  server.trace().wait_for({.hook = "on_sig_hup"});
  if (policy == "prefork") {
    ::kill(first.pid, SIGUSR1);
    server.trace().wait_for({.hook = "on_child_sig_usr1", .pid = first.pid});
  }
  CHECK(client{ports[2]}.read_all() == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("L3: who is in a queue when the server stops is served, whatever he came by; then nobody is let in", "[L3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "prefork");
  const bool one_place = GENERATE(false, true);
  CAPTURE(policy, one_place);
  places there;
  if (one_place) there.all = {"--listen=unix:" + there.path};
  every_hook server{policy, there.all + hold + (policy == "prefork" ? flags{"--prefork=1", "--maxfork=1"} : flags{})};
  const auto ports = ports_of(server);
  auto held = client::at_socket(there.path);
  server.trace().wait_for({.hook = "on_process"});
  std::vector<client> queue;
  queue.push_back(client::at_socket(there.path));
  if (!one_place) {
    queue.emplace_back(ports[0]);
    queue.emplace_back(ports[2]);
    queue.push_back(client::at_socket(there.name));
  }
  queue.push_back(client::at_socket(there.path));
  for (auto& one : queue) {
    REQUIRE(one.connected());
    one.send("go\n");
  }
  server.signal(SIGTERM);
  // In nofork the door is closed when the client in hand has gone.
  if (policy == "prefork") CHECK(eventually([&] { return !fs::exists(there.path); }));
  CHECK(held.ask("go\n") == answer("held\n"));
  for (auto& one : queue) CHECK(one.read_all() == answer("held\n"));
  CHECK(server.wait() == 0);
  CHECK_FALSE(fs::exists(there.path));
  CHECK(server.trace().count({.hook = "on_accept_error"}) == 0);
}

TEST_CASE("L4: the file of a UNIX socket has the mode that was asked for; what a killed server left is replaced", "[L4]") {
  temp_directory directory;
  const auto path = (directory / "x.sock").string();
  {
    every_hook killed{"nofork", {"--listen=unix:" + path, "--unix-mode=600"}};
    killed.port();
    CHECK(client::at_socket(path).read_all() == hello);
    struct stat there {};
    REQUIRE(::stat(path.c_str(), &there) == 0);
    CHECK((there.st_mode & 0777) == 0600);
    killed.signal(SIGKILL);
    CHECK(killed.wait() == -SIGKILL);
  }
  REQUIRE(fs::exists(path));
  every_hook server{"forking", {"--listen=unix:" + path, "--unix-mode=666"}};
  server.port();
  CHECK(client::at_socket(path).read_all() == hello);
  // A second one must not take it away from the first, and leaves it where it is.
  every_hook second{"forking", {"--listen=unix:" + path}};
  CHECK(second.wait() == 100);
  CHECK(second.output().find("not listening: cannot listen on unix:" + path + ": Address already in use; another program does") != std::string::npos);
  CHECK(client::at_socket(path).read_all() == hello);
  CHECK(server.stop() == 0);
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("L5: a place that cannot be had ends run() with 100 and one sentence, and the others are given back", "[L5]") {
  temp_directory directory;
  const auto path = (directory / "x.sock").string();
  const occupied_port theirs{"127.0.0.1"};
  const std::vector<std::pair<std::string, std::string>> rows{
      {"127.0.0.1:" + std::to_string(theirs.number()), "another program does"},
      {"nonsense", "'nonsense' is no place to listen"},
      {"127.1:80", "'127.1' is no address"},
      {"unix:/absent/x", "its directory has to be there"},
      {"inherited", "there is no inherited socket: none was passed to this process (LISTEN_PID is not set)"},
      {"fd:http", "there is no inherited socket: none was passed to this process (LISTEN_PID is not set)"},
  };
  for (const auto& [place, sentence] : rows) {
    CAPTURE(place);
    every_hook server{"prefork", {"--listen=unix:" + path, "--listen=" + place}};
    CHECK(server.wait() == 100);
    CHECK(server.output().find("not listening: ") != std::string::npos);
    CHECK(server.output().find(sentence) != std::string::npos);
    CHECK(server.parent_sequence() == "server_begin");
    CHECK_FALSE(fs::exists(path));
  }
}

TEST_CASE("L6: a client on a UNIX socket has no endpoint", "[L6]") {
  temp_directory directory;
  const auto path = (directory / "x.sock").string();
  every_hook server{"forking", {"--listen=unix:" + path}};
  CHECK(server.port() == 0);
  CHECK(client::at_socket(path).read_all() == hello);
  CHECK(server.trace().wait_for({.hook = "on_accept_ok"}).text("peer") == "0.0.0.0:0");
  CHECK(server.stop() == 0);
}

TEST_CASE("L7: a server that runs again listens at the same places again", "[L7]") {
  places there;
  every_hook server{"prefork", there.all + sized("prefork") + flags{"--runs=2"}};
  for (int run = 0; run < 2; ++run) {
    server.trace().wait_for({.hook = "on_listen_ok", .nth = static_cast<std::size_t>(run) + 1});
    CHECK(client::at_socket(there.path).read_all() == hello);
    CHECK(client::at_socket(there.name).read_all() == hello);
    server.signal(SIGTERM);
    server.trace().wait_for({.hook = "on_server_close", .nth = static_cast<std::size_t>(run) + 1});
  }
  CHECK(server.wait() == 0);
  CHECK_FALSE(fs::exists(there.path));
}

TEST_CASE("L8: kids that are told to leave one after another leave no client behind, wherever he waits", "[L8]") {
  places there;
  every_hook server{"prefork", there.all + sized("prefork")};
  const auto ports = ports_of(server);
  server.wait_for_kids(4);
  // Whoever a kid was woken for is served by it, or by another: nobody waits until the next one comes.
  std::jthread asker([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      for (const pid_t kid : server.kids()) ::kill(kid, SIGTERM);
      ::poll(nullptr, 0, 2);
    }
  });
  for (int round = 0; round < 100; ++round) {
    CHECK(client{ports[0]}.read_all(5000ms) == hello);
    CHECK(client::at_socket(there.path).read_all(5000ms) == hello);
  }
  asker.request_stop();
  asker.join();
  CHECK(server.stop() == 0);
}
