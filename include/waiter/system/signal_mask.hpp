#ifndef WAITER_SYSTEM_SIGNAL_MASK_HPP
#define WAITER_SYSTEM_SIGNAL_MASK_HPP

#include <waiter/system/signal_handlers.hpp>

#include <pthread.h>

#include <csignal>

namespace waiter::system {

/// Keeps the server's signals out, but for the waits and hooks of the process that holds it.
///
/// A parent of kids holds one for as long as it serves: signals then arrive only inside `wait_for_event`, and a kid starts life
/// with all of them blocked until it is ready.
class signal_mask {
 public:
  signal_mask() noexcept {
    const sigset_t ours = signal_handlers::set();
    ::pthread_sigmask(SIG_BLOCK, &ours, &outside_);
    waiting_ = outside_;
    sigdelset(&waiting_, SIGCHLD);
  }
  signal_mask(const signal_mask&) = delete;
  signal_mask& operator=(const signal_mask&) = delete;
  ~signal_mask() { open(); }

  /// As it was before us: what a hook runs under, and what a program that it starts inherits.
  void open() const noexcept { ::pthread_sigmask(SIG_SETMASK, &outside_, nullptr); }

  void close() const noexcept {
    const sigset_t ours = signal_handlers::set();
    ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  }

  /// The mask for a wait: the user's own, and SIGCHLD always let in, since a kid's end must be seen.
  const sigset_t& waiting() const noexcept { return waiting_; }

  /// Lets the signals in for a scope.
  class opened {
   public:
    explicit opened(const signal_mask& mask) noexcept : mask_(mask) { mask_.open(); }
    opened(const opened&) = delete;
    opened& operator=(const opened&) = delete;
    ~opened() { mask_.close(); }

   private:
    const signal_mask& mask_;
  };

 private:
  sigset_t outside_;
  sigset_t waiting_;
};

}  // namespace waiter::system

#endif
