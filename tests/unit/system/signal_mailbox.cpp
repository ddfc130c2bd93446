#include <waiter/system/signal_mailbox.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace {

using waiter::system::mailbox;
using waiter::system::notice;

}  // namespace

TEST_CASE("a notice counts how often its signal arrived, and is taken once") {
  const taken_signals signals;
  CHECK_FALSE(mailbox.any());
  for (int i = 0; i < 3; ++i) ::raise(SIGUSR1);
  ::raise(SIGTERM);
  CHECK(mailbox.any());
  CHECK(mailbox.take(notice::usr1) == 3);
  CHECK(mailbox.take(notice::usr1) == 0);
  CHECK(mailbox.take(notice::term) == 1);
  CHECK(mailbox.take(notice::hup) == 0);
}

TEST_CASE("each signal has a notice of its own") {
  const taken_signals signals;
  const struct {
    int signal;
    notice what;
  } table[] = {{SIGTERM, notice::term}, {SIGINT, notice::interrupt}, {SIGQUIT, notice::quit}, {SIGHUP, notice::hup},
               {SIGUSR1, notice::usr1}, {SIGUSR2, notice::usr2},     {SIGCHLD, notice::child}};
  for (const auto& row : table) {
    CAPTURE(row.signal);
    ::raise(row.signal);
    for (std::size_t other = 0; other < waiter::system::notice_count; ++other)
      CHECK(mailbox.take(static_cast<notice>(other)) == (static_cast<notice>(other) == row.what ? 1u : 0u));
  }
}

TEST_CASE("what arrives between the look and the taking is there on the next look") {
  const taken_signals signals;
  ::raise(SIGHUP);
  mailbox.look();
  CHECK_FALSE(mailbox.any());
  ::raise(SIGUSR1);
  CHECK(mailbox.take(notice::hup) == 1);
  CHECK(mailbox.any());
}

TEST_CASE("a fresh kid forgets what was meant for its parent") {
  const taken_signals signals;
  ::raise(SIGTERM);
  mailbox.forget();
  CHECK_FALSE(mailbox.any());
  CHECK(mailbox.take(notice::term) == 0);
}

TEST_CASE("a handler keeps errno, also when it cannot take the descriptor") {
  const taken_signals signals;
  const int closed = ::dup(0);
  ::close(closed);
  mailbox.arm(closed);
  errno = 4711;
  ::raise(SIGUSR1);
  CHECK(errno == 4711);
  CHECK_FALSE(mailbox.disarm());
  CHECK(mailbox.take(notice::usr1) == 1);
}

TEST_CASE("nothing is taken from who does not wait") {
  const taken_signals signals;
  const stream_pair pair;
  const auto file = file_behind(pair.ours.get());
  mailbox.arm(pair.ours.get());
  CHECK_FALSE(mailbox.disarm());
  ::raise(SIGUSR1);
  CHECK(file_behind(pair.ours.get()) == file);
}

TEST_CASE("a signal that another thread got is sent on to the one that waits") {
  const taken_signals signals;
  const stream_pair pair;
  // Only the other thread can get it from outside.
  sigset_t usr1, before;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  std::thread other;
  mailbox.arm(pair.ours.get());
  other = std::thread([] { ::raise(SIGUSR1); });
  char byte = 0;
  const auto got = ::recv(pair.ours.get(), &byte, 1, 0);
  CHECK(got == -1);
  CHECK(mailbox.disarm());
  CHECK(mailbox.take(notice::usr1) == 1);
  other.join();

  // While the owner keeps it blocked, it waits for the owner.
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &usr1, &before) == 0);
  std::thread([] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
    ::raise(SIGUSR1);
  }).join();
  CHECK(mailbox.take(notice::usr1) == 0);
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  CHECK(mailbox.take(notice::usr1) == 1);
}

TEST_CASE("a process that waits in an event loop is rung for, from the handler too") {
  const taken_signals signals;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  char scratch[8];
  ::raise(SIGHUP);
  CHECK(::read(ends[0], scratch, sizeof scratch) == -1);
  mailbox.ring(ends[1]);
  ::raise(SIGUSR1);
  CHECK(::read(ends[0], scratch, sizeof scratch) == 1);
  mailbox.ring();
  CHECK(::read(ends[0], scratch, sizeof scratch) == 1);
  mailbox.ring(-1);
  ::raise(SIGUSR2);
  mailbox.ring();
  CHECK(::read(ends[0], scratch, sizeof scratch) == -1);
  ::close(ends[0]);
  ::close(ends[1]);
}
