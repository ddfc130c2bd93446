#include <waiter/system/signal_handlers.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using waiter::system::mailbox;
using waiter::system::notice;
using waiter::system::signal_handlers;

void own_handler(int, siginfo_t*, void*) {}

/// A signal's disposition, set for one case.
class disposition {
 public:
  disposition(int signal, const struct sigaction& action) : signal_(signal) { ::sigaction(signal, &action, &before_); }
  ~disposition() { ::sigaction(signal_, &before_, nullptr); }
  disposition(const disposition&) = delete;
  disposition& operator=(const disposition&) = delete;

  static struct sigaction now(int signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    return action;
  }

 private:
  int signal_;
  struct sigaction before_ {};
};

struct sigaction simple(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  return action;
}

/// Waits until the thread sleeps in the kernel.
bool sleeps(pid_t thread) {
  return support::eventually([thread] {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    return name_end != line.npos && line.substr(name_end + 2, 1) == "S";
  });
}

}  // namespace

TEST_CASE("afterwards each disposition is what it was: default, ignored, or a handler with its flags and mask") {
  struct sigaction own {};
  own.sa_sigaction = own_handler;
  own.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaddset(&own.sa_mask, SIGALRM);
  const disposition ignored(SIGHUP, simple(SIG_IGN));
  const disposition standard(SIGUSR2, simple(SIG_DFL));
  const disposition handled(SIGUSR1, own);
  const disposition pipe(SIGPIPE, simple(SIG_DFL));
  {
    const taken_signals signals;
    for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGPIPE}) {
      CAPTURE(signal);
      const auto now = disposition::now(signal);
      // A handler, never SIG_IGN: what is ignored stays so in programs that are started.
      CHECK(now.sa_handler != SIG_IGN);
      CHECK(now.sa_handler != SIG_DFL);
      CHECK((now.sa_flags & SA_RESTART) != 0);
    }
    ::raise(SIGHUP);
    CHECK(mailbox.take(notice::hup) == 1);
  }
  CHECK(disposition::now(SIGHUP).sa_handler == SIG_IGN);
  CHECK(disposition::now(SIGUSR2).sa_handler == SIG_DFL);
  CHECK(disposition::now(SIGPIPE).sa_handler == SIG_DFL);
  const auto back = disposition::now(SIGUSR1);
  CHECK(back.sa_sigaction == own_handler);
  CHECK((back.sa_flags & (SA_SIGINFO | SA_NODEFER | SA_RESTART)) == (SA_SIGINFO | SA_NODEFER));
  CHECK(::sigismember(&back.sa_mask, SIGALRM) == 1);
  CHECK(::sigismember(&back.sa_mask, SIGTERM) == 0);
}

TEST_CASE("a SIGPIPE that somebody already deals with is left alone") {
  const disposition ignored(SIGPIPE, simple(SIG_IGN));
  {
    const taken_signals signals;
    CHECK(disposition::now(SIGPIPE).sa_handler == SIG_IGN);
  }
  CHECK(disposition::now(SIGPIPE).sa_handler == SIG_IGN);
}

TEST_CASE("SIGPIPE does not kill, and is no notice") {
  const taken_signals signals;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  CHECK(::write(ends[1], "x", 1) == -1);
  CHECK(errno == EPIPE);
  ::close(ends[1]);
  CHECK_FALSE(mailbox.any());
}

TEST_CASE("a second server in the process is refused, and takes nothing from the first") {
  const taken_signals first;
  {
    signal_handlers second;
    waiter::error_code error;
    second.take(error);
    CHECK(error == boost::system::errc::device_or_resource_busy);
  }
  ::raise(SIGUSR1);
  CHECK(mailbox.take(notice::usr1) == 1);
}

TEST_CASE("signals can be taken again and again, and no descriptor stays behind") {
  const auto before = support::descriptors_of(::getpid());
  for (int round = 0; round < 3; ++round) {
    signal_handlers handlers;
    waiter::error_code error;
    handlers.take(error);
    REQUIRE_FALSE(error);
    ::raise(SIGUSR1);
    CHECK(mailbox.take(notice::usr1) == 1);
    handlers.give_back();
    handlers.give_back();
  }
  CHECK(support::descriptors_of(::getpid()) == before);
}

TEST_CASE("what a server before left in the mailbox is forgotten") {
  {
    const taken_signals signals;
    ::raise(SIGTERM);
  }
  const taken_signals signals;
  CHECK_FALSE(mailbox.any());
  CHECK(mailbox.take(notice::term) == 0);
}

TEST_CASE("without a free descriptor signals are not taken, and nothing is changed") {
  const auto before = support::descriptors_of(::getpid());
  const auto usr1 = disposition::now(SIGUSR1);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const int spare_descriptors = GENERATE(0, 1);
  rlimit tight = limit;
  // Only so many numbers are free below the limit.
  std::vector<int> fill;
  while (fill.empty() || fill.back() < 64) fill.push_back(::dup(STDIN_FILENO));
  tight.rlim_cur = static_cast<rlim_t>(fill.back() + 1);
  for (int i = 0; i < spare_descriptors; ++i) ::close(fill.back()), fill.pop_back();
  waiter::error_code error;
  {
    signal_handlers handlers;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    handlers.take(error);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  for (const int fd : fill) ::close(fd);
  CHECK(error == boost::system::errc::too_many_files_open);
  CHECK(disposition::now(SIGUSR1).sa_handler == usr1.sa_handler);
  CHECK(support::descriptors_of(::getpid()) == before);
  const taken_signals afterwards;
}

TEST_CASE("a blocking call of the user's own is not cut short") {
  const taken_signals signals;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto us = ::pthread_self();
  const auto our_thread = static_cast<pid_t>(::syscall(SYS_gettid));
  std::thread other([&] {
    sleeps(our_thread);
    ::pthread_kill(us, SIGUSR1);
    support::eventually([] { return mailbox.any(); });
    sleeps(our_thread);
    [[maybe_unused]] const auto written = ::write(ends[1], "x", 1);
  });
  char byte = 0;
  const auto got = ::read(ends[0], &byte, 1);
  CHECK(got == 1);
  CHECK(mailbox.take(notice::usr1) == 1);
  other.join();
  ::close(ends[0]);
  ::close(ends[1]);
}
