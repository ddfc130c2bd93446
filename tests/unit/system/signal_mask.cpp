#include <waiter/system/signal_mask.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"

#include <pthread.h>

#include <csignal>

namespace {

using waiter::system::mailbox;
using waiter::system::notice;
using waiter::system::signal_mask;

bool blocked(int signal) {
  sigset_t now;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
  return ::sigismember(&now, signal) == 1;
}

/// Signals that the embedding program keeps blocked, for one case.
class user_mask {
 public:
  user_mask(std::initializer_list<int> signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : signals) ::sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~user_mask() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  user_mask(const user_mask&) = delete;
  user_mask& operator=(const user_mask&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

TEST_CASE("a mask keeps the server's signals out until it is opened, and then all are there") {
  const taken_signals signals;
  {
    const signal_mask mask;
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
      CAPTURE(signal);
      CHECK(blocked(signal));
    }
    CHECK_FALSE(blocked(SIGALRM));
    ::raise(SIGUSR1);
    CHECK_FALSE(mailbox.any());
    {
      const signal_mask::opened scope(mask);
      CHECK(mailbox.take(notice::usr1) == 1);
      CHECK_FALSE(blocked(SIGTERM));
    }
    CHECK(blocked(SIGTERM));
    ::raise(SIGHUP);
    CHECK(mailbox.take(notice::hup) == 0);
  }
  CHECK(mailbox.take(notice::hup) == 1);
  CHECK_FALSE(blocked(SIGTERM));
}

TEST_CASE("what the embedding program had blocked stays blocked, in hooks and afterwards") {
  const taken_signals signals;
  const user_mask theirs{SIGUSR2, SIGALRM};
  {
    const signal_mask mask;
    const signal_mask::opened scope(mask);
    CHECK(blocked(SIGUSR2));
    CHECK(blocked(SIGALRM));
    CHECK_FALSE(blocked(SIGUSR1));
  }
  CHECK(blocked(SIGUSR2));
  CHECK(blocked(SIGALRM));
  CHECK_FALSE(blocked(SIGUSR1));
}

TEST_CASE("a wait lets in what the embedding program lets in, and a kid's end always") {
  const taken_signals signals;
  const user_mask theirs{SIGUSR2, SIGCHLD};
  const signal_mask mask;
  CHECK(::sigismember(&mask.waiting(), SIGCHLD) == 0);
  CHECK(::sigismember(&mask.waiting(), SIGTERM) == 0);
  CHECK(::sigismember(&mask.waiting(), SIGUSR2) == 1);
}
