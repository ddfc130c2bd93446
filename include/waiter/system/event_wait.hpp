#ifndef WAITER_SYSTEM_EVENT_WAIT_HPP
#define WAITER_SYSTEM_EVENT_WAIT_HPP

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <span>

namespace waiter::system {

/// Waits until a descriptor is ready, a signal that `mask` lets in arrives, or `until` is reached (`instant::max()`: no end).
///
/// The mask is set and the wait begun in one step (ppoll(2)), so a signal that was blocked until now ends the wait at once.
/// Where a descriptor is always ready, signals are let in after at most 16 waits. Returns how many descriptors are ready; 0 also after
/// a signal that has ended the wait.
inline int wait_for_event(std::span<pollfd> descriptors, std::chrono::steady_clock::time_point until, const sigset_t& mask) noexcept {
  using namespace std::chrono;
  timespec left{};
  const bool endless = until == steady_clock::time_point::max();
  if (!endless) {
    // Rounded up, or the last fraction of a millisecond would be spent in a loop.
    const auto rest = std::max(nanoseconds::zero(), ceil<nanoseconds>(until - steady_clock::now()));
    left.tv_sec = static_cast<time_t>(rest.count() / 1'000'000'000);
    left.tv_nsec = static_cast<long>(rest.count() % 1'000'000'000);
  }
  const int ready = ::ppoll(descriptors.data(), static_cast<nfds_t>(descriptors.size()), endless ? nullptr : &left, &mask);
  if (ready > 0) {
    // The kernel looks at the descriptors first, and lets no signal in when one is ready: a parent with more clients than it can fork for
    // would never hear that its kids have ended, nor that it is to stop. By hand, and not each time, since that is two system calls.
    static constinit unsigned waits = 0;
    if (++waits % 16 == 0) {
      sigset_t before;
      ::pthread_sigmask(SIG_SETMASK, &mask, &before);
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    return ready;
  }
  for (auto& one : descriptors) one.revents = 0;
  return 0;
}

}  // namespace waiter::system

#endif
