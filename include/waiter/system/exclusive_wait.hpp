#ifndef WAITER_SYSTEM_EXCLUSIVE_WAIT_HPP
#define WAITER_SYSTEM_EXCLUSIVE_WAIT_HPP

#include <waiter/error.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/interruptible.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <optional>
#include <span>

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace waiter::system {

/// One process's wait for several listening sockets that other processes wait for, too: a client wakes one of them, or a few
/// (epoll_ctl(2), EPOLLEXCLUSIVE), instead of all. Linux only: elsewhere `open` fails with ENOTSUP.
///
/// Each process makes its own, after the fork. A client that has woken a process which then does not accept may find the others asleep,
/// so a process that was woken, or may have been, looks at all sockets before it leaves.
class exclusive_wait {
 public:
  void open([[maybe_unused]] std::span<const int> sockets, error_code& error) noexcept {
    error.clear();
#ifdef __linux__
    descriptor set(::epoll_create1(EPOLL_CLOEXEC));
    if (!set) return error.assign(errno, boost::system::system_category());
    for (std::size_t index = 0; index < sockets.size(); ++index) {
      epoll_event one{};
      one.events = EPOLLIN | EPOLLEXCLUSIVE;
      one.data.u64 = index;
      if (::epoll_ctl(set.get(), EPOLL_CTL_ADD, sockets[index], &one) != 0) return error.assign(errno, boost::system::system_category());
    }
    set_ = std::move(set);
#else
    error.assign(ENOTSUP, boost::system::system_category());
#endif
  }

  explicit operator bool() const noexcept { return static_cast<bool>(set_); }
  void close() noexcept { set_.reset(); }

  /// Which of the sockets has somebody, by its place in what was opened; they take turns when several have. Nothing at `until`, and
  /// after a signal, at whatever instant it arrives.
  std::optional<std::size_t> wait([[maybe_unused]] std::chrono::steady_clock::time_point until) const noexcept {
#ifdef __linux__
    using namespace std::chrono;
    int limit = -1;
    if (until != steady_clock::time_point::max()) {
      const auto left = ceil<milliseconds>(until - steady_clock::now()).count();
      limit = static_cast<int>(std::clamp<milliseconds::rep>(left, 0, INT_MAX));
    }
    epoll_event found{};
    if (interruptible(set_.get(), [&]() noexcept { return ::epoll_wait(set_.get(), &found, 1, limit); }) == 1)
      return static_cast<std::size_t>(found.data.u64);
#endif
    return std::nullopt;
  }

 private:
  descriptor set_;
};

}  // namespace waiter::system

#endif
