#ifndef WAITER_SYSTEM_PARENT_WATCH_HPP
#define WAITER_SYSTEM_PARENT_WATCH_HPP

#include <waiter/error.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/signal_handlers.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace waiter::system {

/// Tells kids that their parent is gone, however it went.
///
/// PR_SET_PDEATHSIG brings the news at once to a kid that sleeps in accept, but is not the truth: it is also sent when the thread
/// that forked ends, and never when the parent died before prctl(2). So the kid looks, after prctl(2) and after each such signal: it
/// has another parent by then (getppid(2); the kernel changes that before it sends the signal), or a descriptor of the parent
/// has become readable (pidfd_open(2), Linux 5.3; before that a pipe whose writing end the parent holds), which also tells a kid that
/// cannot see its parent's number from its own pid namespace. Where there is no such signal a kid looks whenever it wakes.
class parent_watch {
 public:
  /// In the parent, before the first fork.
  void open(error_code& error) noexcept {
    error.clear();
    parent_ = ::getpid();
#ifdef SYS_pidfd_open
    watched_.reset(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (watched_) return;
#endif
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return error.assign(errno, boost::system::system_category());
    watched_.reset(ends[0]);
    held_.reset(ends[1]);
  }

  /// In a kid, once.
  void watch() noexcept {
    held_.reset();
#ifdef __linux__
    signal_handlers::watch_for_parent();
    ::prctl(PR_SET_PDEATHSIG, parent_gone_signal());
#endif
  }

  /// In a kid.
  bool parent_lives() const noexcept {
    const pid_t parent = ::getppid();
    if (parent != parent_ && parent != 0) return false;  // 0: the parent is in another namespace
    pollfd one{watched_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) <= 0;
  }

  void close() noexcept {
    watched_.reset();
    held_.reset();
  }

 private:
  pid_t parent_ = 0;
  descriptor watched_;
  descriptor held_;
};

}  // namespace waiter::system

#endif
