// Group M: under a service manager.
#include "conformance/every_hook.hpp"

#include "support/temp_directory.hpp"
#include "support/tls_client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace conformance;

namespace {

namespace fs = std::filesystem;

flags sized(const std::string& policy) { return policy == "prefork" ? flags{"--prefork=4", "--maxfork=4"} : flags{}; }

/// tests/support/activate.cpp in front of the server.
launch activated(const flags& how) {
  const char* const program = std::getenv("WAITER_ACTIVATE");
  if (program == nullptr) FAIL("WAITER_ACTIVATE must be the path of the built tests/support/activate");
  launch surroundings;
  surroundings.in_front = flags{program} + how;
  return surroundings;
}

struct news {
  std::string text;
  pid_t from;
  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
};

/// A service manager's socket.
class manager {
 public:
  explicit manager(bool abstract = false) {
    sockaddr_un here{};
    here.sun_family = AF_UNIX;
    path_.copy(here.sun_path, sizeof here.sun_path - 1);
    if (abstract) path_.front() = '@', here.sun_path[0] = '\0';
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = offsetof(sockaddr_un, sun_path) + path_.size() + (abstract ? 0 : 1);
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&here), static_cast<socklen_t>(size)) == 0);
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  }
  ~manager() { ::close(socket_); }
  manager(const manager&) = delete;
  manager& operator=(const manager&) = delete;

  launch surroundings(const flags& more = {}) const {
    launch here;
    here.environment = flags{"NOTIFY_SOCKET=" + path_} + more;
    return here;
  }

  /// The next news that begin so; others are kept in `all`. Fails when they do not come.
  news wait_for(std::string_view beginning, milliseconds within = patience) {
    const deadline end{within};
    while (auto one = next(end.left()))
      if (one->text.starts_with(beginning)) return *one;
    FAIL("the manager never heard " << beginning << " but " << heard());
    std::abort();
  }
  std::optional<news> next(int milliseconds) {
    pollfd one{socket_, POLLIN, 0};
    if (::poll(&one, 1, milliseconds) != 1) return std::nullopt;
    char text[1024];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    iovec part{text, sizeof text};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = ::recvmsg(socket_, &message, MSG_CMSG_CLOEXEC);
    ucred sender{};
    if (const auto* head = CMSG_FIRSTHDR(&message)) std::memcpy(&sender, CMSG_DATA(head), sizeof sender);
    all.push_back({std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))), sender.pid});
    return all.back();
  }
  /// All that has come, and nothing is waited for.
  void drain() {
    while (next(0)) {
    }
  }
  std::size_t count(std::string_view beginning) const {
    std::size_t found = 0;
    for (const auto& one : all) found += one.text.starts_with(beginning);
    return found;
  }
  std::string heard() const {
    std::string text;
    for (const auto& one : all) text += "[" + one.text + "] ";
    return text;
  }

  std::vector<news> all{};

 private:
  temp_directory directory_{};
  std::string path_ = (directory_ / "notify").string();
  int socket_{-1};
};

/// A client of a socket whose file comes to be.
client at_file(const fs::path& path) {
  REQUIRE(eventually([&] { return fs::exists(path); }));
  return client::at_socket(path.string());
}

const std::vector<std::string> policies{"nofork", "forking", "prefork"};

}  // namespace

TEST_CASE("M1: sockets that were passed are served, all of them or by name, and are left to who has passed them", "[M1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  temp_directory directory;
  const auto path = (directory / "x.sock").string();
  every_hook server{policy, flags{"--listen=fd:admin", "--listen=inherited", "--runs=2"} + sized(policy),
                    activated({"--tcp", "http", "--unix", "admin=" + path})};
  for (std::size_t run = 1; run <= 2; ++run) {
    const auto ok = server.trace().wait_for({.hook = "on_listen_ok", .nth = run});
    CHECK(ok.text("places") == "unix:" + path + ",_127.0.0.1:" + ok.text("port"));
    CHECK(client::at_socket(path).read_all() == hello);
    CHECK(client{static_cast<std::uint16_t>(ok.number("port"))}.read_all() == hello);
    server.signal(SIGTERM);
    server.trace().wait_for({.hook = "on_server_close", .nth = run});
  }
  CHECK(server.wait() == 0);
  CHECK(fs::exists(path));
}

TEST_CASE("M1: one socket that was passed is accepted from as one of its own", "[M1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, flags{"--listen=inherited", "--timeout=1"} + sized(policy), activated({"--tcp", "http"})};
  CHECK(visit(server) == hello);
  server.trace().wait_for({.hook = policy == "prefork" ? "on_prefork_child_idle" : "on_forking_idle"});
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("M2: what cannot be listened on ends run() with 100 and one sentence", "[M2]") {
  struct row {
    flags passed;
    std::string listen, sentence;
  };
  const std::vector<row> rows{
      {{"--tcp", "http"}, "fd:admin", "no inherited socket is called 'admin': there is 'http'"},
      {{"--tcp", "http", "--pid", "1"}, "inherited", "there is no inherited socket: LISTEN_PID is not this process, so none is meant for it"},
      {{"--tcp", "http", "--count", "60"}, "inherited", "there is no inherited socket: LISTEN_FDS says 60, but descriptor "},
      {{"--tcp", "http", "--names", "a:b"}, "inherited", "there is no inherited socket: LISTEN_FDS says 1, but LISTEN_FDNAMES has 2 names"},
      {{"--file", "x"}, "inherited", "cannot listen on descriptor 3 ('x'): it is no socket"},
      {{"--udp", "dns"}, "fd:dns", "cannot listen on descriptor 3 ('dns'): it carries no streams"},
      {{"--silent", "x"}, "inherited", "cannot listen on descriptor 3 ('x'): it does not listen"},
  };
  for (const auto& [passed, listen, sentence] : rows) {
    CAPTURE(sentence);
    every_hook server{"prefork", {"--listen=" + listen}, activated(passed)};
    CHECK(server.wait() == 100);
    CHECK(server.output().find("not listening: " + sentence) != std::string::npos);
    CHECK(server.parent_sequence() == "server_begin");
  }
}

TEST_CASE("M3: a stop leaves who is in the queue of a socket that was passed to its holder, and shuts nobody out", "[M3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "prefork");
  const bool local = GENERATE(false, true);
  CAPTURE(policy, local);
  temp_directory directory;
  const auto path = (directory / "x.sock").string();
  every_hook server{policy, flags{"--listen=inherited", "--prefork=1", "--maxfork=1"} + hold,
                    activated((local ? flags{"--unix", "x=" + path} : flags{"--tcp", "x"}) + flags{"--hold", "3"})};
  const auto port = server.port();
  const auto visitor = [&] { return local ? client::at_socket(path) : client{port}; };
  auto held = visitor();
  const auto by = server.trace().wait_for({.hook = "on_process"}).pid;
  auto first = visitor(), second = visitor();
  server.signal(SIGTERM);
  // Until the process that serves has heard of it, it would take the next client.
  CHECK(eventually([&] {
    ::kill(by, SIGUSR1);
    return server.trace().count({.hook = policy == "nofork" ? "on_sig_usr1" : "on_child_sig_usr1", .values = {{"stopping", "1"}}}) > 0;
  }));
  CHECK(held.ask("go\n") == answer("held\n"));
  CHECK(first.read_all() == answer("holder\n"));
  CHECK(second.read_all() == answer("holder\n"));
  CHECK(visitor().read_all() == answer("holder\n"));
  first.close();
  CHECK(server.wait() == 0);
  CHECK(server.last_parent_hook() == "on_server_close");
}

TEST_CASE("M4: the manager is told when the server is ready and when it stops, once each, and by nobody but the parent", "[M4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const bool abstract = GENERATE(false, true);
  CAPTURE(policy, abstract);
  manager systemd{abstract};
  every_hook server{policy, sized(policy), systemd.surroundings()};
  const auto ready = systemd.wait_for("READY=1");
  CHECK(ready.from == server.pid());
  if (policy == "prefork") CHECK(server.trace().count({.hook = "on_child_start"}) == 4);
  for (int n = 0; n < 5; ++n) CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
  systemd.drain();
  INFO(systemd.heard());
  CHECK(systemd.count("READY=1") == 1);
  CHECK(systemd.count("STOPPING=1") == 1);
  CHECK(systemd.count("WATCHDOG") == 0);
  for (const auto& one : systemd.all) CHECK(one.from == ready.from);
}

TEST_CASE("M4: a server that cannot listen is never ready", "[M4]") {
  manager systemd;
  const occupied_port theirs;
  every_hook server{"prefork", {"--port=" + std::to_string(theirs.number())}, systemd.surroundings()};
  CHECK(server.wait() == 100);
  systemd.drain();
  CHECK(systemd.all.empty());
}

TEST_CASE("M5: the watchdog hears twice in its time that the server lives, with and without clients", "[M5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  manager systemd;
  every_hook server{policy, sized(policy), systemd.surroundings({"WATCHDOG_USEC=1000000"})};
  const auto first = systemd.wait_for("WATCHDOG=1");
  CHECK(visit(server) == hello);
  auto last = first;
  for (int n = 0; n < 4; ++n) last = systemd.wait_for("WATCHDOG=1");
  const auto took = std::chrono::duration_cast<milliseconds>(last.at - first.at);
  CHECK(took >= 1900ms);
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("M5: the watchdog of another process is not fed", "[M5]") {
  manager systemd;
  every_hook server{"prefork", sized("prefork"), systemd.surroundings({"WATCHDOG_USEC=100000", "WATCHDOG_PID=1"})};
  systemd.wait_for("READY=1");
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
  systemd.drain();
  CHECK(systemd.count("WATCHDOG") == 0);
}

TEST_CASE("M6: the status tells how many kids are busy, when that has changed, and once a second at most", "[M6]") {
  manager systemd;
  every_hook server{"prefork", sized("prefork") + hold, systemd.surroundings()};
  systemd.wait_for("STATUS=0 of 4 kids have a client");
  auto held = hold_one(server);
  systemd.wait_for("STATUS=1 of 4 kids have a client");
  for (int n = 0; n < 50; ++n) CHECK(client{server.port()}.ask("go\n") == answer("held\n"));
  CHECK(held.release() == answer("held\n"));
  systemd.wait_for("STATUS=0 of 4 kids have a client");
  std::optional<std::chrono::steady_clock::time_point> before;
  for (const auto& one : systemd.all) {
    if (!one.text.starts_with("STATUS")) continue;
    // When they were read, not when they were sent: late by no more than this test is slow, which is seldom for two in a row.
    if (before) CHECK(one.at - *before >= 500ms);
    before = one.at;
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("M7: a reload is told with its beginning and its end", "[M7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  manager systemd;
  every_hook server{policy, sized(policy) + flags{"--reload-on-hup"}, systemd.surroundings()};
  systemd.wait_for("READY=1");
  for (int round = 0; round < 2; ++round) {
    server.signal(SIGHUP);
    CHECK(systemd.wait_for("RELOADING=1").text.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    systemd.wait_for("READY=1");
    CHECK(visit(server) == hello);
  }
  if (policy == "prefork") CHECK(server.trace().count({.hook = "on_child_start"}) == 12);
  CHECK(server.stop() == 0);
}

TEST_CASE("M8: a program that is started for a client serves it, by the hooks of nofork, and ends", "[M8]") {
  const auto policy = GENERATE(from_range(policies));
  CAPTURE(policy);
  temp_directory directory;
  const auto file = directory / "port";
  // Standard error is the client, too: the log must not get there.
  every_hook server{policy, {"--inetd", "--debug"}, activated({"--inetd", file.string()})};
  REQUIRE(eventually([&] { return fs::exists(file); }));
  std::uint16_t port = 0;
  std::ifstream(file) >> port;
  CHECK(client{port}.read_all() == hello);
  CHECK(server.wait() == 0);
  CHECK(server.parent_sequence() == "server_begin accept_ok child_start process close child_exit server_close");
  CHECK(server.trace().wait_for({.hook = "on_accept_ok"}).text("peer").starts_with("127.0.0.1:"));
}

TEST_CASE("M8: a program that is started for a client shakes hands with it first", "[M8]") {
  temp_directory directory;
  const auto file = directory / "port";
  every_hook server{"nofork", {"--inetd", "--transport=ssl"}, activated({"--inetd", file.string()})};
  REQUIRE(eventually([&] { return fs::exists(file); }));
  std::uint16_t port = 0;
  std::ifstream(file) >> port;
  tls_client visitor{port};
  CHECK(visitor.read_all().text == "hello world\n");
  CHECK(server.wait() == 0);
}

TEST_CASE("M8: nobody is connected, and run_for() returns 100", "[M8]") {
  every_hook server{"nofork", {"--inetd"}};
  CHECK(server.wait() == 100);
  CHECK(server.output().find("not serving: nobody is connected to descriptor 0: ") != std::string::npos);
  CHECK(server.parent_sequence() == "server_begin");
}

TEST_CASE("M9: systemd-socket-activate starts it, too", "[M9]") {
  if (!fs::exists("/usr/bin/systemd-socket-activate")) WAITER_SKIP("systemd-socket-activate is not here");
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  temp_directory directory;
  const auto path = directory / "x.sock";
  launch surroundings;
  surroundings.in_front = {"systemd-socket-activate", "--listen=" + path.string(), "--fdname=http"};
  every_hook server{policy, flags{"--listen=fd:http"} + sized(policy), surroundings};
  // The first client starts it.
  CHECK(at_file(path).read_all() == hello);
  CHECK(client::at_socket(path.string()).read_all() == hello);
  CHECK(server.trace().wait_for({.hook = "on_listen_ok"}).text("places") == "unix:" + path.string());
  CHECK(server.stop() == 0);
}

TEST_CASE("M9: systemd-socket-activate starts one for each client, too", "[M9]") {
  if (!fs::exists("/usr/bin/systemd-socket-activate")) WAITER_SKIP("systemd-socket-activate is not here");
  temp_directory directory;
  const auto path = directory / "x.sock";
  launch surroundings;
  surroundings.in_front = {"systemd-socket-activate", "--accept", "--inetd", "--listen=" + path.string()};
  every_hook server{"nofork", {"--inetd"}, surroundings};
  for (std::size_t n = 1; n <= 3; ++n) {
    CHECK(at_file(path).read_all() == hello);
    server.trace().wait_for({.hook = "on_server_close", .nth = n});
  }
}
