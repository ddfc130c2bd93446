// Group K: bad luck, bad handlers, bad clients, and what it all costs.
#include "conformance/every_hook.hpp"

#include <sys/resource.h>

#include <fstream>
#include <iterator>
#include <regex>

using namespace conformance;

namespace {

const flags one_kid{"--prefork=1", "--maxfork=1"};
const flags two_kids{"--prefork=2", "--maxfork=2"};

flags sized(const std::string& policy) { return policy == "prefork" ? two_kids : flags{}; }

/// As long as this lives, the process can't open another descriptor.
class no_descriptor_left {
 public:
  explicit no_descriptor_left(pid_t pid) : pid_{pid} {
    ::prlimit(pid_, RLIMIT_NOFILE, nullptr, &before_);
    auto none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest_free_descriptor(pid_));
    worked_ = ::prlimit(pid_, RLIMIT_NOFILE, &none, nullptr) == 0;
  }
  ~no_descriptor_left() { ::prlimit(pid_, RLIMIT_NOFILE, &before_, nullptr); }
  no_descriptor_left(const no_descriptor_left&) = delete;
  no_descriptor_left& operator=(const no_descriptor_left&) = delete;
  bool worked() const { return worked_; }

 private:
  pid_t pid_;
  rlimit before_{};
  bool worked_{false};
};

/// The process that accepts, once it has nothing left to open or close: after its first idle tick.
pid_t acceptor_at_rest(every_hook& server, const std::string& policy) {
  return server.trace().wait_for({.hook = policy == "prefork" ? "on_prefork_child_idle" : "on_forking_idle"}).pid;
}

/// Makes the hook be called once more. Whether a client is served is another matter: the first time its hook throws.
void pull(every_hook& server, const parent_hook& which) {
  switch (which.by) {
    case trigger::start:
    case trigger::idle: break;
    case trigger::client: visit(server); break;
    case trigger::hup:
      server.port();
      server.signal(SIGHUP);
      break;
    case trigger::usr1:
      server.port();
      server.signal(SIGUSR1);
      break;
    case trigger::usr2:
      server.port();
      server.signal(SIGUSR2);
      break;
    case trigger::over_maxfork: visit(server); break;
    case trigger::dead_kid:
      server.wait_for_kids(2);
      ::kill(*server.kids().begin(), SIGKILL);
      break;
  }
}

bool have_strace() { return ::system("strace -f -o /dev/null true >/dev/null 2>&1") == 0; }

/// The server under strace; LeakSanitizer can't work there.
launch traced(const temp_directory& directory, const std::string& calls) {
  launch surroundings;
  surroundings.in_front = {"strace", "-f", "-e", "signal=none", "-e", "trace=" + calls, "-o", (directory / "calls").string()};
  surroundings.environment = {"ASAN_OPTIONS=detect_leaks=0"};
  return surroundings;
}

std::size_t calls_like(const temp_directory& directory, const std::string& expression) {
  std::ifstream file{directory / "calls"};
  const std::regex wanted{expression};
  std::size_t result = 0;
  for (std::string line; std::getline(file, line);) result += std::regex_search(line, wanted) ? 1 : 0;
  return result;
}

}  // namespace

TEST_CASE("K1: without a descriptor left accept is told, paused and taken up again", "[K1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, (policy == "prefork" ? one_kid : flags{}) + flags{"--timeout=1"}};
  const pid_t acceptor = acceptor_at_rest(server, policy);
  {
    const no_descriptor_left limit{acceptor};
    REQUIRE(limit.worked());
    client waiting{server.port()};
    const auto told = server.trace().wait_for({.hook = "on_accept_error"});
    CHECK(told.pid == acceptor);
    CHECK(told.text("error").find("Too_many_open_files") != std::string::npos);
    const auto cpu_before = look_at(acceptor)->cpu;
    CHECK(server.trace().quiet({.hook = "on_accept_ok"}, 3000ms));
    CHECK(look_at(acceptor)->cpu - cpu_before < 150ms);  // 5 % of 3 s
    CHECK(server.trace().count({.hook = "on_accept_error"}) < 100);
  }
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("K1: a client that waited while there was no descriptor is served afterwards", "[K1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, (policy == "prefork" ? one_kid : flags{}) + flags{"--timeout=1"}};
  const pid_t acceptor = acceptor_at_rest(server, policy);
  std::optional<client> waiting;
  {
    const no_descriptor_left limit{acceptor};
    REQUIRE(limit.worked());
    waiting.emplace(server.port());
    server.trace().wait_for({.hook = "on_accept_error"});
  }
  CHECK(waiting->read_all() == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("K1: a server without a descriptor left still stops in order", "[K1]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, (policy == "prefork" ? one_kid : flags{}) + flags{"--timeout=1"}};
  const no_descriptor_left limit{acceptor_at_rest(server, policy)};
  REQUIRE(limit.worked());
  client waiting{server.port()};
  server.trace().wait_for({.hook = "on_accept_error"});
  CHECK(server.stop() == 0);
  CHECK(server.last_parent_hook() == "on_server_close");
}

TEST_CASE("K2: after an exception in a hook of the parent, on_exception is called and the server goes on", "[K2]") {
  const auto which = GENERATE(from_range(parent_hooks()));
  CAPTURE(which);
  every_hook server{which.policy, flags_for(which) + flags{"--throw-in=" + which.hook}};
  std::optional<held_client> held;
  if (which.by == trigger::over_maxfork) held.emplace(hold_one(server));
  pull(server, which);
  const auto line = server.trace().wait_for({.hook = "on_exception", .pid = server.pid()});
  CHECK_FALSE(line.text("error").empty());
  CHECK(server.trace().count({.hook = "on_server_close"}) == 0);
  pull(server, which);
  if (which.by != trigger::start) server.trace().wait_for({.hook = which.hook, .pid = server.pid(), .nth = 2});
  if (!held) CHECK(visit(server) == hello);
  if (held) CHECK(held->release() == answer("held\n"));
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_server_close"}) == 1);
}

TEST_CASE("K2: an exception in on_accept_ok ends that client, after on_close, and the next is served", "[K2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, flags{"--throw-in=on_accept_ok"} + (policy == "prefork" ? one_kid : flags{})};
  if (policy == "prefork") server.wait_for_kids(1);
  CHECK(visit(server) == reply{"", outcome::end_of_stream});
  const auto thrown = server.trace().wait_for({.hook = "on_exception"});
  server.trace().wait_for({.hook = "on_close", .pid = thrown.pid});
  CHECK(server.trace().sequence(thrown.pid).ends_with("accept_ok exception close"));
  CHECK(server.trace().count({.hook = "on_process"}) == 0);
  CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("K2: rethrown there, kids are stopped, on_server_close is called, and it leaves run()", "[K2]") {
  const auto which = GENERATE(from_range(parent_hooks()));
  CAPTURE(which);
  if (which.hook == "on_server_begin") return;  // nothing was opened that could be closed; see below
  every_hook server{which.policy, flags_for(which) + flags{"--throw-in=" + which.hook, "--rethrow"}};
  std::optional<held_client> held;
  if (which.by == trigger::over_maxfork) held.emplace(hold_one(server));
  pull(server, which);
  server.trace().wait_for({.hook = "on_exception", .pid = server.pid()});
  if (held) CHECK(held->release() == answer("held\n"));
  const int status = server.wait();  // nobody is left behind
  CHECK(status != 0);
  CHECK(status != 100);
  CHECK(server.last_parent_hook() == "on_server_close");
  CHECK(server.trace().count({.hook = "on_exception", .pid = server.pid()}) == 1);
}

TEST_CASE("K2: rethrown from on_server_begin it leaves run() before anything is opened", "[K2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--throw-in=on_server_begin", "--rethrow"}};
  const int status = server.wait();
  CHECK(status != 0);
  CHECK(status != 100);
  CHECK(server.trace().count({.hook = "on_listen_ok"}) == 0);
}

TEST_CASE("K2: an exception in on_server_close is told too, and run() ends in order", "[K2]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy) + flags{"--throw-in=on_server_close"}};
  server.port();
  CHECK(server.stop() == 0);
  CHECK(server.trace().count({.hook = "on_exception"}) == 1);
}

TEST_CASE("K3: a client that connects and closes at once goes through every hook, and the next is served", "[K3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, flags{"--process=echo"} + (policy == "prefork" ? one_kid : flags{})};
  client{server.port()}.close();
  const auto line = server.trace().wait_for({.hook = policy == "prefork" ? "on_close" : "on_child_exit"});
  const std::string sequence = server.trace().sequence(line.pid);
  CHECK(sequence.find("process close") != std::string::npos);
  client next{server.port()};
  CHECK(next.send("one\ntwo\n"));
  CHECK(next.read_line() == "one\n");
  CHECK(next.read_line() == "two\n");
  next.half_close();
  CHECK(next.read_all() == reply{"", outcome::end_of_stream});
  CHECK(server.stop() == 0);
  for (const auto& died : server.trace().all({.hook = "on_sig_child"})) CHECK(died.number("status") == 0);
}

TEST_CASE("K3: a client that resets kills nobody, not even a process that writes to it", "[K3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, flags{"--process=sleep=1"} + (policy == "prefork" ? one_kid : flags{})};
  for (std::size_t n = 1; n <= 2; ++n) {
    client leaves{server.port()};
    server.trace().wait_for({.hook = "on_process", .nth = n});
    leaves.reset();
    server.trace().wait_for({.hook = "on_close", .nth = n});
  }
  CHECK(visit(server) == answer("slept\n"));
  if (policy == "prefork") CHECK(server.trace().count({.hook = "on_sig_child"}) == 0);
  CHECK(server.stop() == 0);
  for (const auto& died : server.trace().all({.hook = "on_sig_child"})) CHECK((died.number("status") & 0x7f) == 0);
}

TEST_CASE("K3: a client that resets while the server waits for it ends that wait", "[K3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, hold + (policy == "prefork" ? one_kid : flags{})};
  auto leaves = hold_one(server);
  leaves.connection.reset();
  server.trace().wait_for({.hook = "on_close"}, 5000ms);
  auto next = hold_one(server);
  CHECK(next.release() == answer("held\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("K3: a client whose bytes nobody read gets its answer and no reset, and may say what it has to say", "[K3]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, flags{"--process=sleep=0.5", "--linger=9"} + (policy == "prefork" ? one_kid : flags{})};
  client talks{server.port()};
  CHECK(talks.send(std::string(10000, 'x')));
  CHECK(talks.read_all() == answer("slept\n"));
  CHECK(talks.is_heard_out("and that"));
  talks.close();
  CHECK(visit(server) == answer("slept\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("K4: a client that keeps itself alive with a byte now and then is ended by client_timeout, or by min_rate", "[K4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const auto limit = GENERATE(flags{"--client-timeout=1"}, flags{"--min-rate=1000"});
  CAPTURE(policy, limit);
  every_hook server{policy, limit + flags{"--process=hold"} + (policy == "prefork" ? one_kid : flags{})};
  client drips{server.port()};
  const auto begun = server.trace().wait_for({.hook = "on_process"});
  for (int sent = 0; sent < 100 && server.trace().quiet({.hook = "on_close"}, 100ms); ++sent) drips.send("x");
  const auto ended = server.trace().wait_for({.hook = "on_close"});
  CHECK(ended.at - begun.at >= 950);
  CHECK(ended.at - begun.at < 8000);
  CHECK(server.stop() == 0);
}

TEST_CASE("K4: no wait for a client is endless unless asked for", "[K4]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, {"--process=hold", "--io-timeout=1"}};
  client silent{server.port()};
  const auto begun = server.trace().wait_for({.hook = "on_process"});
  const auto ended = server.trace().wait_for({.hook = "on_close"});
  CHECK(ended.at - begun.at >= 950);
  CHECK(ended.at - begun.at < 4000);
  CHECK(silent.read_all().how != outcome::timed_out);
  CHECK(server.stop() == 0);
}

TEST_CASE("K5: no System V IPC", "[K5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  if (!have_strace()) WAITER_SKIP("strace is not there, or may not trace");
  const temp_directory directory;
  every_hook server{policy, sized(policy), traced(directory, "shmget,shmat,shmctl,semget,semop,semtimedop,msgget,msgsnd,kill")};
  for (int n = 0; n < 3; ++n) CHECK(visit(server) == hello);
  CHECK(server.stop() == 0);
  CHECK(calls_like(directory, "\\b(shm|sem|msg)[a-z]+\\(") == 0);
  CHECK(calls_like(directory, "exited with 0") > 0);  // it did trace
}

TEST_CASE("K5: while idle kids suffice, the parent of a pool is not woken for clients", "[K5]") {
  every_hook server{"prefork", {"--prefork=8", "--maxfork=16", "--timeout=60"}};
  server.wait_for_kids(8);
  CHECK(visit(server) == hello);
  CHECK(server.trace().quiet({.hook = "on_fork_ok"}, 500ms));
  const auto before = voluntary_switches(server.pid());
  for (int n = 0; n < 50; ++n) CHECK(visit(server) == hello);
  const auto after = voluntary_switches(server.pid());
  CHECK(after - before <= 5);
  CHECK(server.stop() == 0);
}

TEST_CASE("K5: the parent wakes at most once for each change of a kid's state", "[K5]") {
  every_hook server{"prefork", {"--prefork=2", "--maxfork=2", "--timeout=60"}};
  server.wait_for_kids(2);
  CHECK(visit(server) == hello);
  CHECK(server.trace().quiet({.hook = "on_fork_ok"}, 500ms));
  const auto before = voluntary_switches(server.pid());
  for (int n = 0; n < 50; ++n) CHECK(visit(server) == hello);
  const auto after = voluntary_switches(server.pid());
  CHECK(after - before <= 2 * 50);
  CHECK(server.stop() == 0);
}

TEST_CASE("K5: an idle server does nothing", "[K5]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, sized(policy) + flags{"--timeout=60"}};
  server.port();
  if (policy == "prefork") server.wait_for_kids(2);
  server.trace().quiet({.hook = "on_server_close"}, 500ms);
  auto processes = server.kids();
  processes.insert(server.pid());
  std::map<pid_t, long> before;
  for (const pid_t process : processes) before[process] = voluntary_switches(process);
  server.trace().quiet({.hook = "on_server_close"}, 2000ms);
  for (const pid_t process : processes) CHECK(voluntary_switches(process) - before[process] <= 3);
  CHECK(server.stop() == 0);
}

TEST_CASE("K6: a kid is told to stop once, and killed once", "[H4]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  if (!have_strace()) WAITER_SKIP("strace is not there, or may not trace");
  const temp_directory directory;
  every_hook server{policy, hold + (policy == "prefork" ? one_kid : flags{}) + flags{"--grace=3"},
                    traced(directory, "kill,tkill,tgkill,pidfd_send_signal")};
  auto held = hold_one(server);
  server.signal(SIGTERM);
  server.trace().quiet({.hook = "on_sig_child"}, 500ms);
  server.signal(SIGTERM);
  server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(server.wait() == 0);
  const auto parent = "^" + std::to_string(server.pid()) + " +";
  CHECK(calls_like(directory, parent + ".*\\(.*SIGTERM") == 1);
  CHECK(calls_like(directory, parent + ".*\\(.*SIGKILL") == 1);
}

TEST_CASE("K7: a hundred clients leave no descriptor behind", "[K7]") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  every_hook server{policy, policy == "prefork" ? one_kid : flags{}};
  if (policy == "prefork") server.wait_for_kids(1);
  const auto served = [&](std::size_t n) {
    CHECK(visit(server) == hello);
    server.trace().wait_for({.hook = policy == "forking" ? "on_sig_child" : "on_close", .nth = n});
  };
  for (std::size_t n = 1; n <= 10; ++n) served(n);
  const pid_t acceptor = policy == "prefork" ? *server.kids().begin() : server.pid();
  const auto before = descriptors_of(acceptor).size();
  for (std::size_t n = 11; n <= 100; ++n) served(n);
  CHECK(eventually([&] { return descriptors_of(acceptor).size() <= before; }, 5000ms));
  CHECK(server.stop() == 0);
}
