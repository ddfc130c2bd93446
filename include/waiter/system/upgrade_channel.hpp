#ifndef WAITER_SYSTEM_UPGRADE_CHANNEL_HPP
#define WAITER_SYSTEM_UPGRADE_CHANNEL_HPP

#include <waiter/error.hpp>
#include <waiter/system/descriptor.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace waiter::system {

/// One end of the channel between a server and the program that is to succeed it. Words arrive whole, and in order
/// (unix(7), SOCK_SEQPACKET); neither side ever waits for the other.
class upgrade_channel {
 public:
  struct heard {
    enum { silence, word, end } what;  ///< the end: nobody has the other end any more
    std::string text{};                ///< of a word
  };

  upgrade_channel() = default;
  /// The end that this process was started with.
  explicit upgrade_channel(descriptor end) noexcept : end_(std::move(end)) {}

  /// Both ends.
  static std::pair<upgrade_channel, upgrade_channel> make(error_code& error) noexcept {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      error.assign(errno, boost::system::system_category());
      return {};
    }
    error.clear();
    return {upgrade_channel(descriptor(ends[0])), upgrade_channel(descriptor(ends[1]))};
  }

  /// False when nobody can hear it, or the other side does not listen.
  bool say(std::string_view text) const noexcept {
    return ::send(get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(text.size());
  }

  heard hear() const {
    std::array<char, 4096> text;
    const ssize_t size = ::recv(get(), text.data(), text.size(), MSG_DONTWAIT);
    if (size > 0) return {heard::word, std::string(text.data(), static_cast<std::size_t>(size))};
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {heard::silence};
    return {heard::end};
  }

  int get() const noexcept { return end_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(end_); }
  void close() noexcept { end_.reset(); }

 private:
  descriptor end_;
};

}  // namespace waiter::system

#endif
