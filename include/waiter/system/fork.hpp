#ifndef WAITER_SYSTEM_FORK_HPP
#define WAITER_SYSTEM_FORK_HPP

#include <waiter/error.hpp>

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <iostream>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace waiter::system {

/// How many threads the process has; 0 where the system does not tell.
inline int thread_count() noexcept {
  // The directory has a link for each thread, besides its own two; to open it a descriptor would be needed, and there may be none.
  struct stat tasks {};
  return ::stat("/proc/self/task", &tasks) == 0 ? static_cast<int>(tasks.st_nlink) - 2 : 0;
}

/// Whether a second thread lives. Costs no system call in a process that never had one.
///
/// A thread that was joined is the kernel's for a moment longer: pthread_join(3) returns before the thread has left the process. So who
/// is not alone looks again for 20 ms before he says so.
inline bool threads_alive() noexcept {
#if __has_include(<sys/single_threaded.h>)
  if (__libc_single_threaded) return false;
#endif
  for (int looks = 0; thread_count() > 1; ++looks) {
    if (looks == 40) return true;
    // On a busy machine the thread that leaves may need this processor to do so.
    const timespec nap{0, 500'000};
    ::nanosleep(&nap, nullptr);
  }
  return false;
}

/// The one place that forks. Output that is still buffered is written first, or both processes would write it.
///
/// Refused with `error::threads_alive` while another thread lives, unless `allow_threads`: the kid would have a copy of that
/// thread's locks and nobody to release them (fork(2)). The caller holds the server's signals blocked, and the kid starts so.
/// Returns as fork(2) does; -1 comes with `error`.
inline pid_t fork_process(bool allow_threads, error_code& error) noexcept {
  error.clear();
  if (!allow_threads && threads_alive()) {
    error = waiter::error::threads_alive;
    return -1;
  }
  std::cout.flush();
  std::clog.flush();
  std::fflush(nullptr);
  const pid_t kid = ::fork();
  if (kid < 0) error.assign(errno, boost::system::system_category());
  return kid;
}

/// Ends a kid: what it printed is written, and nothing that the parent registered to run at exit runs here.
[[noreturn]] inline void leave_process(int status) noexcept {
  std::cout.flush();
  std::clog.flush();
  std::fflush(nullptr);
  ::_exit(status);
}

}  // namespace waiter::system

#endif
