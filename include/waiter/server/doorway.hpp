#ifndef WAITER_SERVER_DOORWAY_HPP
#define WAITER_SERVER_DOORWAY_HPP

#include <waiter/client/lingering.hpp>
#include <waiter/error.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/event_wait.hpp>
#include <waiter/system/half_open.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/signal_mailbox.hpp>
#include <waiter/system/syn_fence.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <vector>

namespace waiter {

/// Where clients come in, and where those go out who were not served: the listening socket of a process, with its pauses, its
/// closing, and the half-closed sockets that it does not wait for.
class doorway {
 public:
  system::listener& listener() noexcept { return listener_; }
  const system::listener& listener() const noexcept { return listener_; }

  /// Leaves the socket alone until then.
  void pause(milliseconds time) noexcept { paused_until_ = later(clock::now(), time); }
  instant paused_until() const noexcept { return paused_until_; }

  /// A half-closed client whose last bytes are thrown away; it is closed when it has closed too, or after `time`.
  void see_out(int client, milliseconds time) {
    if (client >= 0) leaving_.add(system::descriptor(client), later(clock::now(), std::min(time, longest_linger)));
  }
  bool somebody_leaving() const noexcept { return !leaving_.empty(); }

  /// Waits until somebody connects, `until` is reached, or a signal that `mask` lets in arrives; meanwhile looks after those who
  /// leave. True when an accept will find somebody. The signals have to be blocked.
  bool wait(instant until, const sigset_t& mask) {
    const bool paused = clock::now() < paused_until_;
    watched_.clear();
    watched_.push_back({paused ? -1 : listener_.get(), POLLIN, 0});
    leaving_.watch(watched_);
    if (paused) until = std::min(until, paused_until_);
    if (!system::mailbox.any()) system::wait_for_event(watched_, std::min(until, leaving_.next()), mask);
    if (!leaving_.empty()) leaving_.work(clock::now());
    return watched_.front().revents != 0;
  }

  /// Lets nobody new in, waits for those who are on the threshold, and lets accepts fail that find nobody. The error says why new ones
  /// cannot be kept out; then the queue is left as it stands.
  void close(error_code& error) noexcept {
    system::raise_syn_fence(listener_.get(), error);
    const instant give_up = clock::now() + longest_handshake;
    const auto port = listener_.local().port();
    const auto half_open = [port] {
      return system::somebody_half_open(AF_INET, port) || system::somebody_half_open(AF_INET6, port);
    };
    while (!error && clock::now() < give_up && half_open()) ::poll(nullptr, 0, 2);
    listener_.stop_waiting();
  }

  /// Once nobody is left in the queue, clients are refused by the kernel at once, instead of being left without an answer. The
  /// descriptor stays. True when that is done.
  bool lock() noexcept {
    if (locked_) return true;
    pollfd one{listener_.get(), POLLIN, 0};
    if (::poll(&one, 1, 0) == 0) locked_ = ::shutdown(listener_.get(), SHUT_RD) == 0;
    return locked_;
  }

  /// The end of it: those who leave get a moment to read what they were sent.
  void finish() {
    listener_.close();
    const instant ends = clock::now() + last_moment;
    while (!leaving_.empty() && clock::now() < ends) {
      watched_.clear();
      leaving_.watch(watched_);
      ::poll(watched_.data(), static_cast<nfds_t>(watched_.size()), 10);
      leaving_.work(clock::now());
    }
    leaving_.clear();
  }

  /// In a kid: those who leave are its parent's.
  void forget_leaving() noexcept { leaving_.clear(); }

 private:
  using clock = std::chrono::steady_clock;

  static constexpr milliseconds longest_linger{10000};
  /// For a handshake of TCP whose last segment is lost or far away; the kernel itself asks again after a second.
  static constexpr milliseconds longest_handshake{1000};
  static constexpr milliseconds last_moment{500};

  system::listener listener_;
  lingering leaving_;
  std::vector<pollfd> watched_;
  instant paused_until_{};
  bool locked_ = false;
};

}  // namespace waiter

#endif
