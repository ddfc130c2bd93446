// The server that the tests of trouble start: small, and it writes only the lines of its trace that they wait for.
//
//   --trace FILE --policy nofork|forking|prefork --transport plain|ssl --port N --prefork N --maxfork N
//   --ballast MB           memory that is written to, so that a fork has something to copy
//   --work MS              a client takes so long            --hold          or until it has said a line
//   --busy                 the handler never waits for its client
//   --soft-limit MS --hard-limit MS --prop-sigusr
//   --max-requests N --max-requests-spread N --max-age MS --drain-limit MS --max-old-generations N
//   --sample FILE          (prefork) another process looks at the board, a thousand times a second: see sampled.hpp
//   --stillborn FILE       while FILE is there, a kid ends in on_child_start in the way that FILE says: exit, kill, throw, break
//   --orphan               each client leaves a process behind that ends a little later
//   --children N           the program has children of its own; USR1 makes it wait for them and tell whose status was right
//   --family FILE          a child before run(), one from on_listen_ok, one from each USR1; when FILE is there each leaves an orphan
//                          behind and ends. USR1 then waits for them and tells whose status was right
//   --thread               the program has a second thread    --allow-threads
//
// USR2 makes the parent reload. HUP makes it tell how often it has allocated memory, and how much of everything it has.
#include "faults/sampled.hpp"
#include "support/self_signed.hpp"

#include <waiter/ssl.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <new>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

std::atomic<long> allocations{0};

}  // namespace

// Not inlined, or GCC would see malloc on one side and `new` on the other, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

struct settings {
  std::map<std::string, std::string, std::less<>> given;

  std::string text(std::string_view name, std::string otherwise = "") const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : found->second;
  }
  int number(std::string_view name, int otherwise = 0) const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : std::stoi(found->second);
  }
  bool has(std::string_view name) const { return given.contains(name); }
  waiter::milliseconds time(std::string_view name) const { return has(name) ? waiter::milliseconds(number(name)) : waiter::never; }
};

/// `--flag=value`, or a flag alone.
settings parse(int argc, char** argv) {
  settings all;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    const auto equals = word.find('=');
    all.given[word.substr(2, equals == word.npos ? word.npos : equals - 2)] = equals == word.npos ? "" : word.substr(equals + 1);
  }
  return all;
}

// The board is nobody's business, so its sampler takes the one way to a private member that the language leaves open: an explicit
// instantiation may name it.
template <class Tag, auto Member>
struct opened {
  friend decltype(Member) member_of(Tag) { return Member; }
};

template <class ForkPolicy, class TransportPolicy>
class troubled;
template <class TransportPolicy>
using pool_server = waiter::basic_waiter<troubled<waiter::prefork, TransportPolicy>, waiter::prefork, TransportPolicy>;

struct board_of_prefork {
  friend waiter::system::busy_board waiter::prefork::*member_of(board_of_prefork);
};
template <class TransportPolicy>
struct fork_of;
template <>
struct fork_of<waiter::plain> {
  friend waiter::prefork pool_server<waiter::plain>::*member_of(fork_of);
};
template <>
struct fork_of<waiter::ssl> {
  friend waiter::prefork pool_server<waiter::ssl>::*member_of(fork_of);
};

template <class ForkPolicy, class TransportPolicy>
class troubled : public waiter::basic_waiter<troubled<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy> {
  using base = waiter::basic_waiter<troubled, ForkPolicy, TransportPolicy>;

 public:
  using typename base::client_type;
  using typename base::options;

  troubled(const settings& asked, options given)
      : base(std::move(given)),
        asked_(asked),
        trace_(::open(asked.text("trace").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)),
        work_(asked.number("work")),
        hold_(asked.has("hold")),
        busy_(asked.has("busy")),
        orphan_(asked.has("orphan")),
        stillborn_(asked.text("stillborn")) {}

  /// One of the family, with a status of its own.
  void start_child() {
    if (!asked_.has("family")) return;
    const int status = static_cast<int>(children_.size());
    const pid_t child = ::fork();
    if (child != 0) return children_.push_back(child);
    while (::access(asked_.text("family").c_str(), F_OK) != 0) ::poll(nullptr, 0, 10);
    leave_orphan();
    ::_exit(status);
  }

 private:
  friend waiter::hook_access;

  void on_server_begin() {
    happened("on_server_begin");
    for (int n = 0; n < asked_.number("children"); ++n) children_.push_back(bear(n));
  }
  void on_listen_ok() {
    if (asked_.has("sample")) sample(asked_.text("sample"));
    start_child();
    if (!asked_.has("two-places")) return happened("on_listen_ok", "port", this->get_port());
    const auto second = this->get_listen_places().at(1);
    happened("on_listen_ok", "port", this->get_port(), "second_port", second.substr(second.rfind(':') + 1));
  }
  void on_accept_error(waiter::error_code error) { happened("on_accept_error", "error", error.value()); }
  void on_fork_ok(pid_t pid) {
    if (asked_.has("stillborn")) happened("on_fork_ok", "pid", pid);
  }
  void on_child_overtime() { happened("on_child_overtime"); }
  void on_sig_child(pid_t pid, int status) {
    if (!orphan_ && status != 0) happened("on_sig_child", "pid", pid, "status", status);
  }

  void on_child_start() {
    if (stillborn_.empty()) return;
    std::ifstream file(stillborn_);
    std::string how;
    if (!(file >> how)) return;
    if (how == "exit") ::_exit(7);
    if (how == "kill") ::raise(SIGKILL);
    if (how == "throw") throw std::runtime_error("stillborn");
    this->break_main_loop();
  }

  void on_process(client_type& client) {
    waiter::error_code error;
    if (hold_) {
      happened("on_process");
      if (!client.read_line(error)) return;
    }
    if (busy_) {
      happened("on_process");
      for (;;) ::poll(nullptr, 0, -1);
    }
    if (work_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(work_));
    if (orphan_) leave_orphan();
    client.write("served\n", error);
  }

  void on_sig_hup() {
    const long so_far = allocations;
    const auto [busy, kids] = this->get_busy_kids_count();
    happened("on_sig_hup", "allocations", so_far, "busy", busy, "kids", kids);
  }

  void on_sig_usr2() { this->reload(); }
  void on_reload() { happened("on_reload"); }

  void on_sig_usr1() {
    if (asked_.has("family") && ::access(asked_.text("family").c_str(), F_OK) != 0) {
      start_child();
      happened("on_sig_usr1", "children", children_.size());
      return;
    }
    if (!asked_.has("children") && !asked_.has("family")) return;
    int right = 0;
    for (std::size_t n = 0; n < children_.size(); ++n) {
      int status = 0;
      right += ::waitpid(children_[n], &status, 0) == children_[n] && WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(n % 256);
    }
    happened("on_sig_usr1", "right", right);
    children_.clear();
  }

  /// Ends with its parent.
  void sample(const std::string& file) {
    if constexpr (std::is_same_v<ForkPolicy, waiter::prefork>) {
      if (::fork() != 0) return;
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const auto& board = (this->*member_of(fork_of<TransportPolicy>())).*member_of(board_of_prefork());
      faults::keep_sampling(file, [&board] {
        using state = waiter::system::busy_board::state;
        int ready = 0;
        for (std::size_t place = 0; place < board.places(); ++place) {
          const auto is = board.is(place);
          ready += is == state::idle || waiter::system::busy_board::has_client(is);
        }
        return ready;
      });
    }
  }

  /// A child of the program's own, which ends within a second or two with a status of its own.
  static pid_t bear(int n) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    for (const int number : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT}) ::signal(number, SIG_DFL);
    ::poll(nullptr, 0, n * 37 % 1500);
    ::_exit(n % 256);
  }

  /// Two generations down, so that nobody but process 1 of the namespace can reap it.
  static void leave_orphan() {
    if (::fork() == 0) {
      ::poll(nullptr, 0, 20);
      ::_exit(0);
    }
  }

  void happened(std::string_view hook) { happened(hook, "allocations", allocations.load()); }
  template <class... Rest>
  void happened(std::string_view hook, const Rest&... rest) {
    std::ostringstream line;
    line << "0 " << (::getpid() == this->get_parent_pid() ? "P " : "C ") << ::getpid() << ' ' << hook;
    put(line, rest...);
    line << '\n';
    const auto text = line.str();
    [[maybe_unused]] const auto written = ::write(trace_, text.data(), text.size());
  }
  static void put(std::ostringstream&) {}
  template <class Value, class... Rest>
  static void put(std::ostringstream& line, const char* key, const Value& value, const Rest&... rest) {
    line << ' ' << key << '=' << value;
    put(line, rest...);
  }

  const settings& asked_;
  int trace_;
  int work_;
  bool hold_, busy_, orphan_;
  std::string stillborn_;
  std::vector<pid_t> children_;
};

template struct opened<board_of_prefork, &waiter::prefork::board_>;
template struct opened<fork_of<waiter::plain>, &pool_server<waiter::plain>::fork_>;
template struct opened<fork_of<waiter::ssl>, &pool_server<waiter::ssl>::fork_>;

template <class ForkPolicy, class TransportPolicy>
int serve(const settings& asked) {
  using server_type = troubled<ForkPolicy, TransportPolicy>;
  typename server_type::options options{.port = static_cast<std::uint16_t>(asked.number("port")), .prop_sigusr = asked.has("prop-sigusr")};
  options.grace = waiter::milliseconds(asked.number("grace", 8000));
  if (asked.has("two-places")) options.listen = {"127.0.0.1:0", "127.0.0.1:0"};
  if constexpr (requires { options.fork.prefork; }) {
    options.fork.prefork = asked.number("prefork", 8);
    options.fork.max_requests = asked.number("max-requests");
    options.fork.max_requests_spread = asked.number("max-requests-spread", -1);
    options.fork.max_age = asked.time("max-age");
    if (asked.has("drain-limit")) options.fork.drain_limit = asked.time("drain-limit");
    options.fork.max_old_generations = asked.number("max-old-generations", 2);
  }
  if constexpr (requires { options.fork.maxfork; }) {
    options.fork.maxfork = asked.number("maxfork");
    options.fork.soft_limit = asked.time("soft-limit");
    options.fork.hard_limit = asked.time("hard-limit");
    options.fork.allow_threads = asked.has("allow-threads");
  }
  std::optional<waiter_examples::self_signed> certificate;
  if constexpr (server_type::ssl_in_use()) {
    certificate.emplace();
    options.transport.cert_file = certificate->cert_file();
    options.transport.key_file = certificate->key_file();
  }
  server_type server(asked, std::move(options));
  server.start_child();
  return server.run();
}

template <class ForkPolicy>
int serve(const settings& asked) {
  return asked.text("transport") == "ssl" ? serve<ForkPolicy, waiter::ssl>(asked) : serve<ForkPolicy, waiter::plain>(asked);
}

}  // namespace

int main(int argc, char** argv) {
  const settings asked = parse(argc, argv);
  const std::vector<char> ballast(static_cast<std::size_t>(asked.number("ballast")) << 20, 'x');
  std::optional<std::jthread> second;
  if (asked.has("thread")) second.emplace([](std::stop_token stop) {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (!stop.stop_requested()) ::poll(nullptr, 0, 20);
  });
  const auto policy = asked.text("policy", "prefork");
  if (policy == "nofork") return serve<waiter::nofork>(asked);
  if (policy == "forking") return serve<waiter::forking>(asked);
  return serve<waiter::prefork>(asked);
}
