#ifndef WAITER_CLIENT_ASYNC_LOOP_HPP
#define WAITER_CLIENT_ASYNC_LOOP_HPP

#include <waiter/process/deadline_queue.hpp>
#include <waiter/process/instant.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <utility>

namespace waiter {

/// Something with deadlines of its own: the loop looks at it when the first of them is due.
class timed {
 public:
  timed() = default;
  timed(const timed&) = delete;
  timed& operator=(const timed&) = delete;

  std::size_t queue_place = static_cast<std::size_t>(-1);

 protected:
  ~timed() = default;

 private:
  friend class async_loop;

  /// Ends what is over at `now`, and says when to look again; `instant::max()` when nothing is waited for.
  virtual instant look(instant now) = 0;
};

/// The event loop of a process that serves many clients: Asio's, and one timer for the deadlines of all of them. It is made in the
/// process that serves, after the fork, and never crosses one: Asio's reactor would be shared with the parent, and blind it.
class async_loop {
 public:
  using clock = std::chrono::steady_clock;

  async_loop() = default;
  async_loop(const async_loop&) = delete;
  async_loop& operator=(const async_loop&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }

  /// Destroys all that is waited for, coroutines included; sockets and timers live on, and may be destroyed before the loop.
  void end() { context_.end(); }
  const boost::asio::any_io_executor& executor() const noexcept { return executor_; }

  /// `one` is looked at by `due`. A deadline that moves away is not booked again: at the look it is seen that it has moved.
  void book(timed& one, instant due) {
    if (queue_.due(one) <= due) return;
    queue_.book(one, due);
    arm();
  }
  void forget(timed& one) noexcept { queue_.remove(one); }

  /// The process is to end: ends the waits of those who want to know.
  void stop() {
    stopping_ = true;
    until_stop_.cancel();
  }
  bool stopping() const noexcept { return stopping_; }
  /// Expires never; it is cancelled at `stop`.
  boost::asio::steady_timer& until_stop() noexcept { return until_stop_; }

 private:
  void arm() {
    if (queue_.first() >= armed_) return;
    armed_ = queue_.first();
    timer_.expires_at(armed_);
    timer_.async_wait([this](const auto& error) {
      if (error) return;
      armed_ = instant::max();
      const instant now = clock::now();
      while (timed* const one = queue_.take_due(now))
        if (const instant next = one->look(now); next != instant::max()) queue_.book(*one, next);
      arm();
    });
  }

  struct ending_context : boost::asio::io_context {
    using io_context::io_context;
    void end() { shutdown(); }
  };

  // One thread runs the loop. What others may do is to post to it, so the scheduler is locked and the sockets are not.
  ending_context context_{static_cast<int>(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO)};
  boost::asio::any_io_executor executor_{context_.get_executor()};
  boost::asio::steady_timer timer_{context_};
  boost::asio::steady_timer until_stop_{context_, instant::max()};
  deadline_queue<timed> queue_;
  instant armed_ = instant::max();
  bool stopping_ = false;
};

}  // namespace waiter

#endif
