#include "faults/faults.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace faults;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> all;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) all.push_back(line);
  return all;
}

/// Resident memory that is the process's own, in KiB: what it may have leaked.
long memory_of(pid_t pid) {
  for (const auto& line : lines_of("/proc/" + std::to_string(pid) + "/status")) {
    if (line.starts_with("RssAnon:")) return std::stol(line.substr(8));
  }
  return -1;
}

/// All that a server could leave lying about.
struct belongings {
  std::set<int> descriptors;
  std::size_t maps;
  std::set<std::string> objects;
  std::size_t zombies;
  friend bool operator==(const belongings&, const belongings&) = default;
};

belongings look_into(pid_t pid) {
  belongings all;
  all.descriptors = descriptors_of(pid);
  all.maps = lines_of("/proc/" + std::to_string(pid) + "/maps").size();
  all.objects = ipc_objects();
  const auto children = children_of(pid);
  all.zombies = static_cast<std::size_t>(std::count_if(children.begin(), children.end(), [](pid_t kid) { return !alive(kid); }));
  return all;
}

std::ostream& operator<<(std::ostream& out, const belongings& all) {
  return out << all.descriptors.size() << " descriptors, " << all.maps << " maps, " << all.objects.size() << " objects, " << all.zombies
             << " zombies";
}

}  // namespace

TEST_CASE("after thousands of clients the server has what it had before") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string transport = GENERATE(as<std::string>{}, "plain", "ssl");
  CAPTURE(policy, transport);
  troubled_server server{{"--policy=" + policy, "--transport=" + transport, "--prefork=4", "--maxfork=32"}};
  const auto port = server.port();
  flags clients{"--clients", "8", "--seconds", "600"};
  if (transport == "ssl") clients.push_back("--tls");
  const auto serve = [&](long count) {
    auto words = clients;
    words.push_back("--count");
    words.push_back(std::to_string(count));
    load_run load{port, words};
    load.join();
    CAPTURE(load.text());
    CHECK(load["answered"] == count);
  };
  const auto quiet = [&] {
    const std::size_t kids = policy == "prefork" ? 4 : 0;
    CHECK(eventually([&] { return children_of(server.pid()).size() >= kids && server.account().number("busy") == 0; }, 10s));
    if (policy == "forking") CHECK(server.has_kids(0, 5s));
  };
  serve(200);  // what is made once is made by now
  quiet();
  const auto before = look_into(server.pid());
  const long memory = memory_of(server.pid());
  const long clients_now = transport == "ssl" ? short_or_long(300, 20000) : short_or_long(2000, 100000);
  serve(clients_now);
  quiet();
  CHECK(eventually([&] { return look_into(server.pid()) == before; }, 5s));
  CHECK(look_into(server.pid()) == before);
  const long grown = memory_of(server.pid()) - memory;
  report(policy + ' ' + transport + ": memory grown by, after " + std::to_string(clients_now) + " clients", static_cast<double>(grown), "KiB");
  CHECK(grown <= 64);
  CHECK(server.stop() == 0);
}

TEST_CASE("a thousand kids that were killed leave nothing in their parent") {
  troubled_server server{{"--prefork=4", "--maxfork=4"}};
  REQUIRE(server.has_kids(4));
  const auto kill_some = [&](int count) {
    for (int n = 0; n < count; ++n) {
      REQUIRE(server.visit() == served);  // or they would die before their first client, and be replaced with pauses
      const auto kids = server.kids();
      const pid_t kid = *kids.rbegin();
      ::kill(kid, SIGKILL);
      REQUIRE(wait_until_ended(kid));
    }
    REQUIRE(server.has_kids(4, 5s));
  };
  kill_some(20);
  const auto before = look_into(server.pid());
  const long memory = memory_of(server.pid());
  kill_some(short_or_long(50, 1000));
  CHECK(look_into(server.pid()) == before);
  CHECK(memory_of(server.pid()) - memory <= 64);
  CHECK(server.stop() == 0);
}

TEST_CASE("eight idle kids cost nothing: nobody wakes up, and the parent allocates no memory") {
  troubled_server server{{"--prefork=8", "--maxfork=8"}};
  REQUIRE(server.has_kids(8));
  // The account itself allocates, each time the same; its own share is known after two in a row.
  const long first = server.account().number("allocations");
  const long own = server.account().number("allocations") - first;
  let_pass(1200ms);  // a second long the first kids are on trial

  const long before = server.account().number("allocations");
  let_pass(100ms);
  long switches = voluntary_switches(server.pid());
  long kids = 0;
  for (const pid_t kid : server.kids()) kids += voluntary_switches(kid);
  const auto seconds = short_or_long(2, 60);
  let_pass(seconds * 1000ms);
  switches = voluntary_switches(server.pid()) - switches;
  for (const pid_t kid : server.kids()) kids -= voluntary_switches(kid);
  report("wake-ups of the parent in " + std::to_string(seconds) + " s", static_cast<double>(switches), "");
  report("wake-ups of its eight kids", static_cast<double>(-kids), "");
  CHECK(switches <= seconds);
  CHECK(kids == 0);
  const long idle = server.account().number("allocations");
  CHECK(idle - before == own);

  for (int n = 0; n < 100; ++n) REQUIRE(server.visit() == served);
  const long busy = server.account().number("allocations");
  report("allocations of the parent while its kids serve 100 clients", static_cast<double>(busy - idle - own), "");
  CHECK(busy - idle == own);
  CHECK(server.stop() == 0);
}

TEST_CASE("a run that is over has given everything back, however it ended") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  const auto objects = ipc_objects();
  const auto sockets = [] { return lines_of("/proc/net/unix").size(); };
  const auto before = sockets();
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    troubled_server server{{"--policy=" + policy, "--prefork=4", "--hold"}};
    auto held = hold_one(server);
    server.signal(number);
    if (number != SIGQUIT) CHECK(held.connection.ask("go\n") == served);
    CHECK(server.wait() == 0);  // it throws when a process is left
    CHECK(ipc_objects() == objects);
  }
  // Others on this machine open such sockets, too; what the server leaves behind would stay.
  CHECK(eventually([&] { return sockets() <= before; }, 10s));
}
