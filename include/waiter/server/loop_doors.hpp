#ifndef WAITER_SERVER_LOOP_DOORS_HPP
#define WAITER_SERVER_LOOP_DOORS_HPP

#include <waiter/error.hpp>
#include <waiter/server/doorway.hpp>
#include <waiter/system/accepted.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace waiter {

/// The listening sockets of a process as its event loop waits for them. They stay the doorway's.
class loop_doors {
 public:
  loop_doors(const boost::asio::any_io_executor& executor, waiter::doorway& where) : where_(where) {
    for (std::size_t count = 0; count < where.size(); ++count) doors_.emplace_back(executor);
  }
  loop_doors(const loop_doors&) = delete;
  loop_doors& operator=(const loop_doors&) = delete;
  ~loop_doors() { leave(); }

  /// Whoever stands at one of them; they take turns. The error is that of the last accept: EAGAIN when nobody is there.
  std::optional<system::accepted> accept(error_code& error) noexcept {
    std::optional<system::accepted> client;
    for (std::size_t tried = 0; tried < doors_.size(); ++tried) {
      client = where_.at(next_).accept(error);
      next_ = (next_ + 1) % doors_.size();
      const bool nobody = error == boost::system::errc::resource_unavailable_try_again || error == boost::system::errc::timed_out;
      if (client || (error && !nobody)) break;
    }
    return client;
  }

  /// Calls `somebody()` when a client may stand there. False when the loop cannot wait for one of them now.
  template <class Somebody>
  bool wait(Somebody somebody) {
    for (std::size_t which = 0; which < doors_.size(); ++which) {
      auto& one = doors_[which];
      error_code error;
      if (!one.socket.is_open()) one.socket.assign(where_.at(which).get(), error);
      if (error) return false;
      if (std::exchange(one.awaited, true)) continue;
      one.socket.async_wait(boost::asio::posix::stream_descriptor::wait_read, [&one, somebody](const error_code& left) {
        one.awaited = false;
        // It may have been left, and come back to, before this was told.
        if (!left || one.socket.is_open()) somebody();
      });
    }
    return true;
  }

  /// From now on nobody who comes wakes the loop.
  void leave() noexcept {
    for (auto& one : doors_)
      if (one.socket.is_open()) one.socket.release();
  }

 private:
  struct door {
    explicit door(const boost::asio::any_io_executor& executor) : socket(executor) {}
    boost::asio::posix::stream_descriptor socket;
    bool awaited = false;
  };

  waiter::doorway& where_;
  std::deque<door> doors_;
  std::size_t next_ = 0;
};

}  // namespace waiter

#endif
