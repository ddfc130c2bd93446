#ifndef WAITER_SERVER_DOORWAY_HPP
#define WAITER_SERVER_DOORWAY_HPP

#include <waiter/client/lingering.hpp>
#include <waiter/error.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/event_wait.hpp>
#include <waiter/system/exclusive_wait.hpp>
#include <waiter/system/half_open.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/signal_mailbox.hpp>
#include <waiter/system/syn_fence.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace waiter {

/// Where clients come in, and where those go out who were not served: the listening sockets of a process, with their pauses, their
/// closing, and the half-closed sockets that it does not wait for.
///
/// Nearly every server has one listening socket, and its accept is the wait. With several, accepts do not wait, and what does is
/// `wait` or `wait_exclusively`; `accept` then takes from the socket that they found.
class doorway {
 public:
  doorway() = default;
  doorway(const doorway&) = delete;
  doorway& operator=(const doorway&) = delete;

  /// The first of them.
  system::listener& listener() noexcept { return first_; }
  const system::listener& listener() const noexcept { return first_; }

  /// Room for one more: the first, then others.
  system::listener& add() { return first_ ? others_.emplace_back() : first_; }
  /// All of them are there.
  void complete() noexcept {
    if (!others_.empty()) never_wait();
  }

  std::size_t size() const noexcept { return 1 + others_.size(); }
  system::listener& at(std::size_t index) noexcept { return index == 0 ? first_ : others_[index - 1]; }

  template <class Each>
  void for_each(Each&& each) {
    each(first_);
    for (auto& one : others_) each(one);
  }
  template <class Each>
  void for_each(Each&& each) const {
    each(first_);
    for (const auto& one : others_) each(one);
  }

  /// The port of the first one of TCP, or 0.
  std::uint16_t port() const noexcept {
    std::uint16_t first = 0;
    for_each([&first](const system::listener& one) {
      if (first == 0) first = one.local().port();
    });
    return first;
  }

  /// Leaves the sockets alone until then.
  void pause(milliseconds time) noexcept { paused_until_ = later(clock::now(), time); }
  instant paused_until() const noexcept { return paused_until_; }

  /// A half-closed client whose last bytes are thrown away; it is closed when it has closed too, or after `time`.
  void see_out(int client, milliseconds time) {
    if (client >= 0) leaving_.add(system::descriptor(client), later(clock::now(), std::min(time, longest_linger)));
  }

  /// Accepts do not wait: several sockets are to be waited for, or the only one does not block, because another process wants it so.
  bool never_waits() const noexcept { return (wants_ & several) != 0; }
  void never_wait() noexcept {
    wants_ |= several;
    for_each([](system::listener& one) { one.never_wait(); });
  }
  /// From now on an accept is to be preceded by a wait, because this process has more to do than to accept.
  void wait_first() noexcept { wants_ |= a_manager; }
  /// An accept is to be preceded by a wait.
  bool wants_wait() const noexcept { return wants_ != 0 || !leaving_.empty(); }
  /// The same for other reasons: more than clients is waited for.
  void attend(bool others) noexcept { wants_ = static_cast<unsigned char>(others ? wants_ | other_things : wants_ & ~other_things); }
  bool attends() const noexcept { return (wants_ & other_things) != 0; }

  /// Waits until somebody connects, `until` is reached, or a signal that `mask` lets in arrives; meanwhile looks after those who
  /// leave. True when an accept will find somebody. The signals have to be blocked.
  /// \param also  descriptors that end the wait, too; -1 for none
  bool wait(instant until, const sigset_t& mask, std::initializer_list<int> also = {}) {
    const bool paused = clock::now() < paused_until_;
    watched_.clear();
    for_each([&](const system::listener& one) { watched_.push_back({paused ? -1 : one.get(), POLLIN, 0}); });
    for (const int one : also) watched_.push_back({one, POLLIN, 0});
    leaving_.watch(watched_);
    if (paused) until = std::min(until, paused_until_);
    if (!system::mailbox.any()) system::wait_for_event(watched_, std::min(until, leaving_.next()), mask);
    if (!leaving_.empty()) leaving_.work(clock::now());
    // The sockets take turns, or one that always has somebody would be the only one.
    for (std::size_t turn = 1; turn <= size(); ++turn) {
      const std::size_t index = (turn_ + turn) % size();
      if (watched_[index].revents == 0) continue;
      found(index);
      return true;
    }
    return false;
  }

  /// The same where other processes wait for the same sockets and signals are let in: a client wakes one of them. Nothing when that
  /// cannot be done now.
  std::optional<bool> wait_exclusively(instant until) {
    if (!never_waits() || attends() || !leaving_.empty() || clock::now() < paused_until_) return std::nullopt;
    if (!among_others_) {
      std::vector<int> sockets;
      for_each([&](const system::listener& one) { sockets.push_back(one.get()); });
      error_code error;
      among_others_.open(sockets, error);
      if (error) return std::nullopt;
    }
    const auto index = among_others_.wait(until);
    if (index) found(*index);
    return index.has_value();
  }

  /// From the socket that the last wait found, or the only one.
  std::optional<system::accepted> accept(error_code& error) noexcept { return ready_->accept(error); }
  [[gnu::always_inline]] bool accept(system::accepted& client, error_code& error) noexcept { return ready_->accept(client, error); }

  /// Whoever may have woken this process, which is to leave and does not wait again: one client at most, and only where accepts do
  /// not wait. The error is that of the last accept.
  std::optional<system::accepted> overlooked(error_code& error) noexcept {
    for (; never_waits() && overlooked_ < size(); ++overlooked_) {
      if (auto client = at(overlooked_).accept(error)) {
        overlooked_ = size();
        return client;
      }
      if (error == boost::system::errc::interrupted) return std::nullopt;
    }
    error = make_error_code(boost::system::errc::resource_unavailable_try_again);
    return std::nullopt;
  }

  /// Lets nobody new in, waits for those who are on the threshold, and lets accepts fail that find nobody. The error says why new ones
  /// cannot be kept out; then the queue is left as it stands. Sockets that others go on using are left to them.
  void close(error_code& error) noexcept {
    error.clear();
    for_each_own([&error](system::listener& one) {
      error_code unfenced;
      if (one.is_local())
        one.remove_name();
      else
        system::raise_syn_fence(one.get(), unfenced);
      if (unfenced) error = unfenced;
    });
    const instant give_up = clock::now() + longest_handshake;
    while (!error && clock::now() < give_up && somebody_on_threshold()) ::poll(nullptr, 0, 2);
    for_each_own([](system::listener& one) { one.stop_waiting(); });
    // Only now, since who waits for a socket that is shut is woken.
    for_each_own([](system::listener& one) {
      if (one.is_local()) one.shut();
    });
  }

  /// `close` was called, in this process or in the one that runs the server, and there is a queue to be emptied.
  bool is_closed() noexcept {
    bool closed = false;
    for_each_own([&closed](const system::listener& one) { closed = closed || !one.waits(); });
    return closed;
  }

  /// One of those who were in a queue when it was closed. The error is that of the last accept: EAGAIN when nobody is left.
  std::optional<system::accepted> accept_last(error_code& error) noexcept {
    error = make_error_code(boost::system::errc::resource_unavailable_try_again);
    for (; emptied_ < size(); ++emptied_) {
      auto& one = at(emptied_);
      if (one.is_shared()) continue;
      if (auto client = one.accept(error)) return client;
      // EINVAL: a UNIX socket that was shut.
      if (error != boost::system::errc::resource_unavailable_try_again && error != boost::system::errc::invalid_argument) break;
    }
    return std::nullopt;
  }

  /// Once nobody is left in the queues, clients are refused by the kernel at once, instead of being left without an answer. The
  /// descriptors stay. True when that is done.
  bool lock() noexcept {
    if (locked_) return true;
    bool empty = true;
    for_each_own([&empty](const system::listener& one) {
      pollfd somebody{one.get(), POLLIN, 0};
      empty = empty && (one.is_local() || ::poll(&somebody, 1, 0) == 0);  // a UNIX socket refuses already
    });
    if (empty) for_each_own([](system::listener& one) { one.shut(); });
    return locked_ = empty;
  }

  /// The end of it: those who leave get a moment to read what they were sent.
  void finish() {
    close_sockets();
    const instant ends = clock::now() + last_moment;
    while (!leaving_.empty() && clock::now() < ends) {
      watched_.clear();
      leaving_.watch(watched_);
      ::poll(watched_.data(), static_cast<nfds_t>(watched_.size()), 10);
      leaving_.work(clock::now());
    }
    leaving_.clear();
  }

  /// In a kid: those who leave are its parent's, and so are the sockets, unless it accepts from them.
  void become_kid(bool accepts) noexcept {
    leaving_.clear();
    among_others_.close();
    wants_ &= several;
    if (!accepts) close_sockets();
  }

 private:
  using clock = std::chrono::steady_clock;

  static constexpr milliseconds longest_linger{10000};
  /// For a handshake of TCP whose last segment is lost or far away; the kernel itself asks again after a second.
  static constexpr milliseconds longest_handshake{1000};
  static constexpr milliseconds last_moment{500};

  template <class Each>
  void for_each_own(Each&& each) {
    for_each([&each](system::listener& one) {
      if (one && !one.is_shared()) each(one);
    });
  }

  void found(std::size_t index) noexcept {
    turn_ = index;
    ready_ = &at(index);
  }

  bool somebody_on_threshold() noexcept {
    bool somebody = false;
    for_each_own([&somebody](const system::listener& one) {
      if (one.is_local() || somebody) return;
      const auto port = one.local().port();
      somebody = system::somebody_half_open(AF_INET, port) || system::somebody_half_open(AF_INET6, port);
    });
    return somebody;
  }

  void close_sockets() noexcept {
    among_others_.close();
    for_each([](system::listener& one) { one.close(); });
  }

  system::listener first_;
  std::deque<system::listener> others_;
  system::exclusive_wait among_others_;
  lingering leaving_;
  std::vector<pollfd> watched_;
  instant paused_until_{};
  system::listener* ready_ = &first_;
  std::size_t turn_ = 0;
  std::size_t emptied_ = 0;
  std::size_t overlooked_ = 0;
  static constexpr unsigned char several = 1, other_things = 2, a_manager = 4;
  unsigned char wants_ = 0;
  bool locked_ = false;
};

}  // namespace waiter

#endif
