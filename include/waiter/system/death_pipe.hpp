#ifndef WAITER_SYSTEM_DEATH_PIPE_HPP
#define WAITER_SYSTEM_DEATH_PIPE_HPP

#include <waiter/error.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/signal_handlers.hpp>

#include <fcntl.h>
#include <poll.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace waiter::system {

/// Tells kids that their parent is gone, however it went: the pipe's only writing end dies with the parent.
///
/// The pipe is the truth. PR_SET_PDEATHSIG only brings the news at once to a kid that sleeps in accept: it is also sent when the
/// thread that forked ends, it is lost when the parent died before prctl(2), and a look at getppid(2) would be wrong in a pid
/// namespace. Where there is no such signal a kid looks whenever it wakes.
class death_pipe {
 public:
  void open(error_code& error) noexcept {
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
    pollfd one{watched_.get(), 0, 0};
    return ::poll(&one, 1, 0) <= 0;
  }

  void close() noexcept {
    watched_.reset();
    held_.reset();
  }

 private:
  descriptor watched_;
  descriptor held_;
};

}  // namespace waiter::system

#endif
