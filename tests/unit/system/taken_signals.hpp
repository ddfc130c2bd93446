#ifndef WAITER_TESTS_UNIT_SYSTEM_TAKEN_SIGNALS_HPP
#define WAITER_TESTS_UNIT_SYSTEM_TAKEN_SIGNALS_HPP

#include <waiter/system/descriptor.hpp>
#include <waiter/system/signal_handlers.hpp>

#include "support/catch.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include <csignal>

namespace {

/// The signals of the test program, taken for one case.
struct taken_signals {
  waiter::system::signal_handlers handlers;

  taken_signals() {
    waiter::error_code error;
    handlers.take(error);
    REQUIRE_FALSE(error);
  }
};

/// Two ends of a stream. No call on them waits for longer than `longest`, so that a signal which is lost shows as EAGAIN.
struct stream_pair {
  static constexpr timeval longest{3, 0};
  waiter::system::descriptor ours, theirs;

  stream_pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
    for (const int end : ends) {
      ::setsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
      ::setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    }
  }
};

/// Raises a signal of the process once, after some nanoseconds.
class alarm_clock {
 public:
  explicit alarm_clock(int signal) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signal;
    REQUIRE(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0);
  }
  ~alarm_clock() { ::timer_delete(timer_); }
  alarm_clock(const alarm_clock&) = delete;
  alarm_clock& operator=(const alarm_clock&) = delete;

  void ring_in(long nanoseconds) {
    itimerspec once{};
    once.it_value.tv_nsec = nanoseconds;
    ::timer_settime(timer_, 0, &once, nullptr);
  }

 private:
  timer_t timer_{};
};

inline bool readable(int fd, int within = 0) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, within) == 1;
}

/// Which file the descriptor stands for.
inline ino_t file_behind(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 ? what.st_ino : 0;
}

}  // namespace

#endif
