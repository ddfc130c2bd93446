#ifndef WAITER_CLIENT_LINGERING_HPP
#define WAITER_CLIENT_LINGERING_HPP

#include <waiter/process/instant.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/discard.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

namespace waiter {

/// Clients that a process which must not wait for them has finished with: half-closed, what they still send is thrown away, and
/// each is closed when it has closed too or its time is over.
class lingering {
 public:
  /// More than so many at once are not kept: the oldest is closed as it is.
  static constexpr std::size_t most = 256;

  void add(system::descriptor socket, instant until) {
    if (!socket) return;
    ::shutdown(socket.get(), SHUT_WR);
    if (clients_.size() == most) clients_.pop_front();
    clients_.push_back({std::move(socket), until});
  }

  bool empty() const noexcept { return clients_.empty(); }
  std::size_t size() const noexcept { return clients_.size(); }

  /// When the next one's time is over; the caller waits no longer.
  instant next() const noexcept {
    instant first = instant::max();
    for (const auto& one : clients_) first = std::min(first, one.until);
    return first;
  }

  /// Adds what is to be waited for.
  void watch(std::vector<pollfd>& descriptors) const {
    for (const auto& one : clients_) descriptors.push_back({one.socket.get(), POLLIN, 0});
  }

  /// Throws away what has come, and closes those that are done.
  void work(instant now) {
    std::erase_if(clients_, [now](const client& one) { return one.until <= now || is_done(one.socket.get()); });
  }

  void clear() noexcept { clients_.clear(); }

 private:
  struct client {
    system::descriptor socket;
    instant until;
  };

  // One look a turn: a client that sends without a pause must not keep the process.
  static bool is_done(int fd) noexcept {
    const ssize_t count = system::discard(fd, MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }

  std::deque<client> clients_;
};

}  // namespace waiter

#endif
