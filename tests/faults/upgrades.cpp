#include "faults/faults.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace faults;

/// A text has a piece in it; both are shown when it has not.
#define CHECK_HAS(text, piece)                                  \
  do {                                                          \
    const std::string whole = text;                             \
    INFO("'" << whole << "' is to have in it: " << (piece));    \
    CHECK(whole.find(piece) != std::string::npos);              \
  } while (false)

namespace {

/// Where a test says what a server that starts is to suffer from.
struct trouble_file {
  temp_directory directory{};
  std::string path = (directory / "trouble").string();
};

/// upgrading_server.cpp, and the generations that come of it.
class generations : private trouble_file, public server_process {
 public:
  explicit generations(flags arguments, launch surroundings = {}) : server_process(complete(std::move(arguments), std::move(surroundings))), newest_(pid()), known_{newest_} {}

  /// The listening process that is meant to serve.
  pid_t serving() const { return newest_; }

  /// What a server that starts from now on does; nothing: it works.
  void trouble(const std::string& what) const {
    std::filesystem::remove(path);
    if (!what.empty()) std::ofstream(path) << what << std::endl;
  }

  void ask() { ::kill(newest_, SIGUSR2); }

  /// A process that this was not said of before, when it has got as far as `hook`.
  pid_t started(const std::string& hook, milliseconds within = patience) {
    pid_t found = 0;
    eventually([&] {
      for (const auto& line : trace().all({.hook = hook}))
        if (line.side == 'P' && !known_.contains(line.pid)) found = line.pid;
      return found != 0;
    }, within);
    if (found != 0) known_.insert(found);
    return found;
  }

  /// An upgrade that succeeds: the old one is gone, and the new one serves.
  void upgrade() {
    const pid_t old = newest_;
    ask();
    const pid_t next = started("on_listen_ok");
    REQUIRE(next != 0);
    REQUIRE(wait_until_ended(old, 30s));
    newest_ = next;
  }

  /// Waits for the next word of a failure.
  std::string failure(milliseconds within = patience) {
    return trace().wait_for({.hook = "on_upgrade_failed", .nth = ++failures_}, within).text("reason");
  }

  void succeeded_by(pid_t next) { newest_ = next; }

  /// Which generation serves a client.
  pid_t visit() {
    const auto reply = client{port()}.read_all();
    return reply.text.empty() ? 0 : static_cast<pid_t>(std::stol(reply.text));
  }

  /// The one that is meant to serve does, and no other.
  void check_that_one_serves() {
    CAPTURE(output());
    for (int n = 0; n < 20; ++n) CHECK(visit() == newest_);
    std::set<pid_t> servers;
    for (const pid_t one : members_of(pid())) {
      const auto found = look_at(one);
      // A server is a child of another server, of nobody, or of this test; a kid's parent serves.
      if (found && found->state != 'Z' && found->parent != newest_) servers.insert(one);
    }
    CHECK(servers == std::set<pid_t>{newest_});
  }

  void end() {
    ::kill(newest_, SIGTERM);
    CHECK(wait_until_ended(newest_, 30s));
    const bool gone = wait_until_gone(10s);
    std::string left;
    for (const pid_t one : members_of(pid())) left += std::to_string(one) + ": " + title_of(one) + '\n';
    CAPTURE(left, newest_, trace().whole(), output());
    CHECK(gone);
  }

 private:
  launch complete(flags arguments, launch surroundings) {
    arguments.push_back("--trouble=" + path);
    surroundings.program = built("WAITER_UPGRADING_SERVER");
    surroundings.arguments = std::move(arguments);
    return surroundings;
  }
  pid_t newest_{0};
  std::set<pid_t> known_{};
  std::size_t failures_{0};
};

/// Clients all the time, none of whom is lost; so many were served.
class standard_load {
 public:
  explicit standard_load(generations& server, const std::string& transport = "plain")
      : server_{server}, run_{server.port(), clients(transport)} {}

  long end() {
    run_.stop();
    CAPTURE(run_.text(), server_.output());
    CHECK(run_["refused"] == 0);
    CHECK(run_["reset_after_connect"] == 0);
    CHECK(run_["closed_without_answer"] == 0);
    CHECK(run_["connect_timeout"] == 0);
    CHECK(run_["answer_timeout"] == 0);
    CHECK(run_["own_error"] == 0);
    CHECK(run_["answered"] > 0);
    return run_["answered"];
  }

 private:
  static flags clients(const std::string& transport) {
    flags all{"--clients", "64", "--seconds", "600", "--patience", "30"};
    if (transport == "ssl") all.push_back("--tls");
    return all;
  }
  generations& server_;
  load_run run_;
};

}  // namespace

TEST_CASE("upgrades under load lose nobody") {
  const std::string policy = GENERATE(as<std::string>{}, "prefork", "forking", "nofork");
  const std::string transport = GENERATE(as<std::string>{}, "plain", "ssl");
  if (!soaking() && transport == "ssl" && policy != "prefork") return;
  CAPTURE(policy, transport);
  generations server{{"--policy=" + policy, "--transport=" + transport, "--work=2"}};
  standard_load load{server, transport};
  const int upgrades = policy == "prefork" && transport == "plain" ? 10 : short_or_long(2, 10);
  for (int n = 0; n < upgrades; ++n) {
    server.upgrade();
    let_pass(short_or_long(20ms, 2000ms));
  }
  report(std::to_string(upgrades) + " upgrades, " + policy + ' ' + transport + ": nobody lost of", static_cast<double>(load.end()), "");
  if (transport == "plain") server.check_that_one_serves();
  CHECK(server.trace().count({.hook = "on_upgrade_failed"}) == 0);

  // Nothing adds up from generation to generation: the second has a channel to the one before it, and so has each after it.
  const auto listened = server.trace().all({.hook = "on_listen_ok"});
  REQUIRE(listened.size() == static_cast<std::size_t>(upgrades) + 1);
  for (std::size_t n = 1; n < listened.size(); ++n) CHECK(listened[n].number("descriptors") == listened[1].number("descriptors"));
  const auto started = server.trace().all({.hook = "on_started"});
  for (const auto& one : started) CHECK(one.text("name") == started.front().text("name"));
  server.end();
}

TEST_CASE("an upgrade that fails loses nobody: the old one serves on, alone, and says why") {
  struct failure {
    std::string name, reason;
    flags arguments;
  };
  const temp_directory directory;
  const auto plain_file = (directory / "plain_file").string();
  std::ofstream(plain_file) << "no program\n";
  const std::vector<failure> all{
      {"missing", "No_such_file_or_directory", {"--program=" + (directory / "missing").string()}},
      {"not executable", "Permission_denied", {"--program=" + plain_file}},
      {"exit", "exited_with_status_3_before_it_was_ready", {}},
      {"crash", "was_killed_by_SIGABRT", {}},
      {"bad", "exited_with_status_100_before_it_was_ready", {}},
      {"hang", "it_was_not_ready_in_time", {"--within=300"}},
      {"deaf", "it_closed_its_channel_without_being_ready", {}},
  };
  for (const auto& one : all) {
    const std::string policy = soaking() ? GENERATE(as<std::string>{}, "prefork", "forking", "nofork") : "prefork";
    CAPTURE(one.name, policy);
    flags arguments{"--policy=" + policy, "--work=2"};
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    generations server{arguments};
    server.trouble(one.name);
    standard_load load{server};
    let_pass(50ms);
    server.ask();
    CHECK_HAS(server.failure(), one.reason);
    let_pass(50ms);
    load.end();
    server.check_that_one_serves();
    CHECK_HAS(server.output(), "upgrade failed: ");

    // What has failed once may succeed the next time.
    if (one.arguments.empty()) {
      server.trouble("");
      server.upgrade();
      server.check_that_one_serves();
    }
    server.end();
  }
}

TEST_CASE("a second upgrade during the first is refused, and does not disturb it") {
  generations server{{"--work=2"}};
  server.trouble("slow");
  standard_load load{server};
  server.ask();
  REQUIRE(server.started("on_started") != 0);
  server.ask();
  CHECK(server.failure() == "an_upgrade_is_under_way_already");
  const pid_t old = server.serving();
  REQUIRE(wait_until_ended(old, 30s));
  server.succeeded_by(server.trace().all({.hook = "on_listen_ok"}).back().pid);
  load.end();
  server.check_that_one_serves();
  server.end();
}

TEST_CASE("while the one before it has clients, a server is not upgraded again: there are never more than two generations") {
  generations server{{"--hold"}};
  client patient{server.port()};
  server.trace().wait_for({.hook = "on_process"});
  const pid_t first = server.serving();
  server.ask();
  const pid_t second = server.started("on_listen_ok");
  REQUIRE(second != 0);
  CHECK(eventually([&] { return server.output().find("serves from now on") != std::string::npos; }));
  server.succeeded_by(second);
  server.ask();
  CHECK(server.failure() == "the_server_whose_place_this_one_has_taken_is_not_gone_yet");
  CHECK(alive(first));
  patient.send("now\n");
  CHECK(patient.read_all().text == std::to_string(first) + "\n");  // the old one has finished its client
  REQUIRE(wait_until_ended(first, 30s));
  server.upgrade();
  server.end();
}

TEST_CASE("who stops the server during an upgrade stops both") {
  generations server{{}};
  server.trouble("hang");
  server.ask();
  const pid_t next = server.started("on_server_begin");
  REQUIRE(next != 0);
  server.signal(SIGTERM);
  CHECK(server.failure() == "the_server_stops");
  CHECK(server.wait_for_parent() == 0);
  CHECK(wait_until_ended(next));
  CHECK(server.wait_until_gone(10s));
}

TEST_CASE("a successor that is told to stop before it serves alone leaves the sockets as they are") {
  generations server{{"--work=2"}};
  server.trouble("slow");
  standard_load load{server};
  server.ask();
  const pid_t next = server.started("on_server_begin");
  REQUIRE(next != 0);
  ::kill(next, SIGTERM);
  CHECK_HAS(server.failure(), "exited_with_status_0_before_it_was_ready");
  load.end();
  server.check_that_one_serves();
  server.end();
}

TEST_CASE("a successor that is killed at any instant before it serves loses nobody") {
  std::mt19937 random(20260131);
  for (int n = 0; n < short_or_long(4, 20); ++n) {
    generations server{{"--work=2"}};
    server.trouble("slow");
    standard_load load{server};
    let_pass(20ms);
    server.ask();
    const pid_t next = server.started("on_started");
    REQUIRE(next != 0);
    const auto instant = milliseconds(random() % 200);
    CAPTURE(n, instant.count());
    let_pass(instant);
    // Stopped, it cannot become the only one between the look and the shot.
    ::kill(next, SIGSTOP);
    let_pass(20ms);
    const bool serves = server.output().find("serves from now on") != std::string::npos;
    if (serves) {
      ::kill(next, SIGCONT);
      REQUIRE(wait_until_ended(server.serving(), 30s));
      server.succeeded_by(next);
    } else {
      ::kill(next, SIGKILL);
      CHECK_HAS(server.failure(), "was_killed_by_SIGKILL");
    }
    load.end();
    server.check_that_one_serves();
    server.end();
  }
}

TEST_CASE("an old one that is killed after it gave way takes nobody with it but its clients in hand") {
  generations server{{"--work=2"}};
  // A client in hand keeps the old one alive after it gave way.
  standard_load load{server};
  const pid_t old = server.serving();
  server.ask();
  const pid_t next = server.started("on_listen_ok");
  REQUIRE(next != 0);
  CHECK(eventually([&] { return server.output().find("serves from now on") != std::string::npos; }));
  ::kill(old, SIGKILL);
  REQUIRE(wait_until_ended(old));
  server.succeeded_by(next);
  let_pass(100ms);
  load.end();
  CHECK(eventually([&] { return server.visit() == next; }));
  server.check_that_one_serves();
  server.end();
}

TEST_CASE("an old one that is killed before it gave way leaves the service to its successor") {
  generations server{{"--work=2"}};
  server.trouble("slow");
  standard_load load{server};
  const pid_t old = server.serving();
  server.ask();
  const pid_t next = server.started("on_started");
  REQUIRE(next != 0);
  ::kill(old, SIGKILL);
  REQUIRE(wait_until_ended(old));
  server.succeeded_by(next);
  CHECK(server.trace().seek({.hook = "on_listen_ok", .pid = next}, patience));
  CHECK(eventually([&] { return server.visit() == next; }));
  load.end();
  server.check_that_one_serves();
  // It is the only one, so its own stop is one in order.
  server.end();
}

TEST_CASE("a program that starts the server and leaves at once is no successor, and what it has started gives up") {
  const temp_directory directory;
  const auto script = (directory / "script").string();
  std::ofstream(script) << "#!/bin/sh\n" << built("WAITER_UPGRADING_SERVER") << " \"$@\" &\n";
  ::chmod(script.c_str(), 0755);
  generations server{{"--program=" + script, "--work=2"}};
  server.trouble("slow");
  standard_load load{server};
  server.ask();
  CHECK_HAS(server.failure(), "exited_with_status_0_before_it_was_ready");
  const pid_t stray = server.started("on_started");
  REQUIRE(stray != 0);
  CHECK(wait_until_ended(stray, 30s));
  load.end();
  server.check_that_one_serves();
  CHECK_HAS(server.output(), "not serving: the server that has started this one serves on");
  server.end();
}

TEST_CASE("where the new one listens elsewhere, the old one closes its socket in order") {
  generations server{{"--work=2"}};
  server.trouble("elsewhere");
  load_run load{server.port(), {"--clients", "64", "--seconds", "30", "--until-stop"}};
  let_pass(100ms);
  const pid_t old = server.serving();
  server.ask();
  const pid_t next = server.started("on_listen_ok");
  REQUIRE(next != 0);
  CHECK(wait_until_ended(old, 30s));
  load.join();
  CAPTURE(load.text(), server.output());
  CHECK(load["reset_after_connect"] == 0);
  CHECK(load["closed_without_answer"] == 0);
  CHECK(load["refused"] > 0);
  CHECK(load.status() == 0);
  server.succeeded_by(next);
  server.end();
}

TEST_CASE("the stop of a server that took another one's place is one in order") {
  const std::string policy = GENERATE(as<std::string>{}, "prefork", "forking", "nofork");
  CAPTURE(policy);
  generations server{{"--policy=" + policy, "--work=2"}};
  server.upgrade();
  load_run load{server.port(), {"--clients", "64", "--seconds", "30", "--until-stop"}};
  let_pass(200ms);
  ::kill(server.serving(), SIGTERM);
  load.join();
  CAPTURE(load.text(), server.output());
  CHECK(load["answered"] > 0);
  CHECK(load["refused"] > 0);
  CHECK(load.status() == 0);
  CHECK(server.wait_until_gone(30s));
}

TEST_CASE("a UNIX socket goes over to the new one, with its file") {
  const temp_directory directory;
  const auto path = (directory / "socket").string();
  generations server{{"--listen=unix:" + path, "--policy=" + GENERATE(as<std::string>{}, "prefork", "forking")}};
  server.trace().wait_for({.hook = "on_listen_ok"});
  for (int n = 0; n < 2; ++n) {
    server.upgrade();
    CHECK(std::filesystem::is_socket(path));
  }
  server.end();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("sockets that a service manager has passed go on from one to the next, under their names") {
  const temp_directory directory;
  const auto path = (directory / "socket").string();
  const std::string places = GENERATE(as<std::string>{}, "inherited", "fd:http");
  CAPTURE(places);
  launch surroundings;
  surroundings.in_front = {built("WAITER_ACTIVATE"), "--tcp", "http"};
  if (places == "inherited") surroundings.in_front.insert(surroundings.in_front.end(), {"--unix", "admin=" + path});
  generations server{{"--listen=" + places, "--work=2"}, surroundings};
  standard_load load{server};
  for (int n = 0; n < 2; ++n) server.upgrade();
  load.end();
  const auto listened = server.trace().all({.hook = "on_listen_ok"});
  REQUIRE(listened.size() == 3);
  for (const auto& one : listened) {
    CHECK(one.number("port") == server.port());
    CHECK(one.number("places") == (places == "inherited" ? 2 : 1));
  }
  server.check_that_one_serves();
  server.end();
  if (places == "inherited") CHECK(std::filesystem::is_socket(path));  // it is the service manager's
}

TEST_CASE("the service manager is told which process it is to look after, and hears nothing of a stop") {
  const temp_directory directory;
  const auto path = (directory / "notify").string();
  sockaddr_un here{};
  here.sun_family = AF_UNIX;
  path.copy(here.sun_path, sizeof here.sun_path - 1);
  const int manager = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  REQUIRE(::bind(manager, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
  std::vector<std::string> told;
  const auto hears = [&](const std::string& word) {
    return eventually([&] {
      char text[1024];
      for (ssize_t size; (size = ::recv(manager, text, sizeof text, 0)) > 0;) told.emplace_back(text, static_cast<std::size_t>(size));
      return std::find(told.begin(), told.end(), word) != told.end();
    });
  };

  launch surroundings;
  surroundings.environment = {"NOTIFY_SOCKET=" + path};
  generations server{{}, surroundings};
  CHECK(hears("READY=1"));
  server.upgrade();
  CHECK(hears("MAINPID=" + std::to_string(server.serving())));
  CHECK(std::find(told.begin(), told.end(), "STOPPING=1") == told.end());
  // The new one has found the manager by its environment, and speaks for itself.
  CHECK(std::count(told.begin(), told.end(), "READY=1") == 2);
  server.end();
  CHECK(hears("STOPPING=1"));
  ::close(manager);
}

TEST_CASE("the new program begins with the mask and the dispositions that the old one began with") {
  const std::string policy = GENERATE(as<std::string>{}, "prefork", "nofork");
  launch surroundings;
  surroundings.in_front = {"env", "--ignore-signal=HUP", "--block-signal=USR1"};
  generations server{{"--policy=" + policy}, surroundings};
  server.trace().wait_for({.hook = "on_listen_ok"});
  server.upgrade();
  const auto started = server.trace().all({.hook = "on_started"});
  REQUIRE(started.size() == 2);
  CHECK(started[0].text("ignored") != "0000000000000000");
  CHECK(started[0].text("blocked") != "0000000000000000");
  CHECK(started[1].text("ignored") == started[0].text("ignored"));
  CHECK(started[1].text("blocked") == started[0].text("blocked"));
  server.end();
}
