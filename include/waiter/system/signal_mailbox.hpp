#ifndef WAITER_SYSTEM_SIGNAL_MAILBOX_HPP
#define WAITER_SYSTEM_SIGNAL_MAILBOX_HPP

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>

namespace waiter::system {

/// What a signal asks for, once it has left its handler.
enum class notice : std::size_t { term, interrupt, quit, hup, usr1, usr2, child, parent_gone, overtime, give_way };
inline constexpr std::size_t notice_count = 10;

/// The kernel tells a preforked kid with this signal that its parent is gone (prctl(2), PR_SET_PDEATHSIG).
inline int parent_gone_signal() noexcept { return SIGRTMAX; }

/// The parent reminds a kid with this signal that its client takes long.
inline int overtime_signal() noexcept { return SIGRTMAX - 1; }

/// The parent tells a kid with this signal that more clients are in their handshake than may be, and that its own may be one too many.
inline int give_way_signal() noexcept { return SIGRTMAX - 2; }

/// Where the signal handlers leave what arrived, and how they end a wait.
///
/// There is one in a process, because handlers are the process's. A handler counts the signal and, when a wait is armed, takes
/// the descriptor away from under it: `dup2` puts a socket on which every call fails in its place, so that a call which was about
/// to block, or is restarted after the handler (SA_RESTART, signal(7)), returns at once. So no signal is lost between the look
/// at the counts and the blocking call, at no cost to a wait that is not disturbed. dup2(2), pthread_kill(3) and pthread_self(3)
/// are async-signal-safe (signal-safety(7)), and they touch the descriptors of this process only.
class signal_mailbox {
 public:
  /// True when something arrived that was not taken yet.
  bool any() const noexcept { return any_.load(std::memory_order_relaxed); }

  /// How often `what` arrived since it was last taken.
  unsigned take(notice what) noexcept { return counts_[static_cast<std::size_t>(what)].exchange(0); }

  /// It has arrived, and was not taken yet.
  bool holds(notice what) const noexcept { return counts_[static_cast<std::size_t>(what)].load(std::memory_order_relaxed) != 0; }

  /// To be called before the notices are taken, so that one which arrives meanwhile is seen on the next look.
  void look() noexcept {
    any_.store(false, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  /// A fresh kid forgets what was meant for its parent. Only while the signals are blocked.
  void forget() noexcept {
    for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
    any_.store(false, std::memory_order_relaxed);
  }

  /// From here until `disarm`, a signal takes `descriptor` away.
  void arm(int descriptor) noexcept {
    armed_.store(descriptor, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  /// Ends the wait, and puts the descriptor back if a signal took it. True when one did.
  [[gnu::always_inline]] bool disarm() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    // A handler that comes between the two takes the descriptor, and that is seen below: no locked exchange is needed.
    const int descriptor = armed_.load(std::memory_order_relaxed);
    armed_.store(-1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!taken_.load(std::memory_order_relaxed)) [[likely]] return false;
    give_back(descriptor);
    return true;
  }

  /// For a process whose wait is an event loop: what arrives also writes a byte to this descriptor, which must not block; -1 ends that.
  void ring(int descriptor) noexcept {
    bell_.store(descriptor, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  /// Wakes that loop.
  void ring() const noexcept {
    const char one = 0;
    if (const int bell = bell_.load(std::memory_order_relaxed); bell >= 0) [[maybe_unused]] const auto written = ::write(bell, &one, 1);
  }

  /// What the handler does; async-signal-safe.
  void deliver(int signal, notice what) noexcept {
    const int saved_errno = errno;
    if (!pthread_equal(pthread_self(), owner_)) {
      // Only the thread that waits can be woken by the descriptor trick, so it has to get the signal.
      pthread_kill(owner_, signal);
    } else {
      counts_[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed);
      any_.store(true, std::memory_order_relaxed);
      ring();
      const int descriptor = armed_.load(std::memory_order_relaxed);
      if (descriptor >= 0 && !taken_.load(std::memory_order_relaxed) && ::dup2(descriptor, spare_) >= 0) {
        ::dup2(dead_, descriptor);
        taken_.store(true, std::memory_order_relaxed);
      }
    }
    errno = saved_errno;
  }

 private:
  friend class signal_handlers;

  // The copies that dup2 makes in a handler are not close-on-exec (dup3 is on no list of async-signal-safe functions);
  // they are made so here, before any code of the user can run.
  [[gnu::noinline]] void give_back(int descriptor) noexcept {
    ::dup3(spare_, descriptor, O_CLOEXEC);
    ::dup3(dead_, spare_, O_CLOEXEC);
    taken_.store(false, std::memory_order_relaxed);
  }

  static_assert(std::atomic<unsigned>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

  std::array<std::atomic<unsigned>, notice_count> counts_{};
  std::atomic<bool> any_{false};
  std::atomic<bool> taken_{false};
  std::atomic<int> armed_{-1};
  std::atomic<int> bell_{-1};
  int dead_ = -1;
  int spare_ = -1;
  pthread_t owner_{};
};

/// The mailbox of this process.
inline constinit signal_mailbox mailbox;

}  // namespace waiter::system

#endif
