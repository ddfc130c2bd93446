// A stop signal is never lost, at whatever instruction it arrives.
// clang-format off: the library first, which has a macro of the same name as Catch's helper for as long as it is read
#include <waiter/system/interruptible.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/signal_handlers.hpp>
#include <waiter/waiter.hpp>

#include "support/catch.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"
// clang-format on

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <concepts>
#include <cstdlib>
#include <iostream>
#include <string>

using namespace support;
using waiter::system::mailbox;
using waiter::system::notice;

namespace {

bool soak() { return std::getenv("WAITER_SOAK") != nullptr; }

/// Stops by TERM, again and again; tells by a trap where a tracer is to begin. No client comes.
template <class ForkPolicy>
class stopped_server : public waiter::basic_waiter<stopped_server<ForkPolicy>, ForkPolicy, waiter::plain> {
 public:
  using waiter::basic_waiter<stopped_server, ForkPolicy, waiter::plain>::basic_waiter;
  void on_listen_ok() {
    if (!std::same_as<ForkPolicy, waiter::prefork>) ::raise(SIGTRAP);
  }
  // A pool of one: what comes then is the wait.
  void on_fork_ok(pid_t) { ::raise(SIGTRAP); }
  void on_process(auto&) {}
};

template <class ForkPolicy>
[[noreturn]] void run_for_ever() {
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  for (;;) {
    typename stopped_server<ForkPolicy>::options settings{.address = "127.0.0.1"};
    settings.logger = [](std::string_view) {};
    if constexpr (requires { settings.fork.prefork; }) settings.fork.prefork = -1;
    stopped_server<ForkPolicy> one(std::move(settings));
    if (one.run() != 0) ::_exit(1);
  }
}

/// A tracee that waits at its trap.
class tracee {
 public:
  template <class Body>
  explicit tracee(Body body) : pid_(::fork()) {
    if (pid_ == 0) body();
  }
  ~tracee() {
    const auto kids = children_of(pid_);
    for (const pid_t kid : kids) ::kill(kid, SIGKILL);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    // The test has adopted them.
    for (const pid_t kid : kids) ::waitpid(kid, nullptr, 0);
  }
  tracee(const tracee&) = delete;
  tracee& operator=(const tracee&) = delete;

  pid_t pid() const { return pid_; }

  /// Goes on until the next trap, with this signal. False when it does not come there: the signal was lost.
  bool reach_trap(int signal) {
    ::alarm(20);  // interrupts our own wait
    ::ptrace(PTRACE_CONT, pid_, nullptr, signal);
    for (;;) {
      int status = 0;
      if (::waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) return ::alarm(0), false;
      if (WSTOPSIG(status) == SIGTRAP) return ::alarm(0), true;
      ::ptrace(PTRACE_CONT, pid_, nullptr, WSTOPSIG(status));
    }
  }

  /// One instruction, unless the next one is a system call that may block. False then.
  bool step() {
    if (before_system_call()) return false;
    ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
    int status = 0;
    return ::waitpid(pid_, &status, 0) == pid_ && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
  }

 private:
#ifdef __x86_64__
  bool before_system_call() {
    user_regs_struct registers{};
    ::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
    constexpr unsigned long accept4 = 288, ppoll = 271;
    if (registers.rax != accept4 && registers.rax != ppoll) return false;
    return (::ptrace(PTRACE_PEEKTEXT, pid_, registers.rip, nullptr) & 0xffff) == 0x050f;
  }
#else
  bool before_system_call() { return true; }
#endif

  pid_t pid_;
};

void wake_by_alarm(int) {}

/// How many instructions lie between the trap and the wait, and whether TERM was heard after each of them.
struct walk {
  long places = 0;
  long tried = 0;
  long lost = 0;
};

template <class ForkPolicy>
walk walk_through() {
  struct sigaction ring {};
  ring.sa_handler = wake_by_alarm;  // without SA_RESTART
  ::sigaction(SIGALRM, &ring, nullptr);
  tracee server(run_for_ever<ForkPolicy>);
  walk all;
  int status = 0;
  if (::waitpid(server.pid(), &status, 0) != server.pid() || !WIFSTOPPED(status)) return all;
  while (server.step()) ++all.places;
  // A round has to step to its place, so in the short form the places are spread, and only those close before the wait all tried.
  const long budget = 20'000;
  const long close = budget / (all.places + 1);
  const long stride = soak() ? 1 : 1 + all.places * all.places / 2 / budget;
  bool in_order = server.reach_trap(SIGTERM);
  if (!in_order) ++all.lost;
  for (long place = 0; in_order && place <= all.places; ++place) {
    if (place % stride != 0 && place < all.places - close) continue;
    for (long step = 0; step < place && server.step(); ++step) {
    }
    ++all.tried;
    if (!server.reach_trap(SIGTERM)) ++all.lost, in_order = false;
  }
  return all;
}

}  // namespace

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE("TERM is heard after each instruction between the last hook and the wait", "[stop]") {
  const auto nofork = walk_through<waiter::nofork>();
  const auto forking = walk_through<waiter::forking>();
  const auto prefork = walk_through<waiter::prefork>();
  for (const auto& [name, one] : {std::pair{"nofork", nofork}, {"forking", forking}, {"prefork", prefork}}) {
    std::cout << "stop signals by single steps, " << name << ": " << one.tried << " of " << one.places << " places, lost "
              << one.lost << '\n';
    CAPTURE(name);
    CHECK(one.places > 50);
    CHECK(one.tried >= 3);  // as many as the time allows on a busy machine
    CHECK(one.lost == 0);
  }
}
#endif

TEST_CASE("of stop signals right before the call that blocks none is lost", "[stop]") {
  waiter::system::signal_handlers signals;
  waiter::error_code error;
  signals.take(error);
  REQUIRE_FALSE(error);
  waiter::system::listener door;
  door.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 1, waiter::never, error);
  REQUIRE_FALSE(error);
  // A lost signal would be waited for until then.
  door.accept_timeout(waiter::milliseconds(1000));
  const long rounds = soak() ? 1'000'000 : 100'000;
  long lost = 0;
  for (long round = 0; round < rounds && lost < 3; ++round) {
    mailbox.look();
    // The worst instruction: after the look whether something has arrived, before the call that waits for it.
    const int got = waiter::system::interruptible(
        door.get(), [&]() noexcept { return ::raise(SIGTERM), ::accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC); });
    lost += got != -1 || errno != EINTR || mailbox.take(notice::term) != 1;
  }
  std::cout << "stop signals at the worst instruction: " << rounds << ", lost " << lost << '\n';
  CHECK(lost == 0);
}
