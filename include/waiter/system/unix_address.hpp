#ifndef WAITER_SYSTEM_UNIX_ADDRESS_HPP
#define WAITER_SYSTEM_UNIX_ADDRESS_HPP

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace waiter::system {

/// An address of a UNIX socket (unix(7)), as people write it: a path, or with '@' in front a name of Linux's abstract namespace, which
/// is no file and goes away with the socket.
class unix_address {
 public:
  /// The longest path or name.
  static constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;

  /// Nothing when it is empty or too long, or holds a byte 0.
  static std::optional<unix_address> of(std::string_view text) noexcept {
    if (text.empty() || text == "@" || text.size() > longest || text.find('\0') != text.npos) return std::nullopt;
    unix_address made;
    std::copy(text.begin(), text.end(), made.address_.sun_path);
    if (text.front() == '@') made.address_.sun_path[0] = '\0';
    // What is abstract has no end but its length; a path ends with a byte 0.
    made.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (text.front() != '@'));
    return made;
  }

  /// The address that a socket is bound to; nothing when it is none of a UNIX socket, or has no name.
  static std::optional<unix_address> bound_to(int socket) noexcept {
    unix_address here;
    here.size_ = sizeof here.address_;
    if (::getsockname(socket, here.data(), &here.size_) != 0 || here.address_.sun_family != AF_UNIX) return std::nullopt;
    if (here.size_ <= offsetof(sockaddr_un, sun_path)) return std::nullopt;
    return here;
  }

  bool is_abstract() const noexcept { return address_.sun_path[0] == '\0'; }

  std::string text() const {
    const std::size_t length = size_ - offsetof(sockaddr_un, sun_path);
    if (is_abstract()) return '@' + std::string(address_.sun_path + 1, length - 1);
    return std::string(address_.sun_path, ::strnlen(address_.sun_path, length));
  }

  sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&address_); }
  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const noexcept { return size_; }

 private:
  unix_address() noexcept { address_.sun_family = AF_UNIX; }

  sockaddr_un address_{};
  socklen_t size_ = 0;
};

}  // namespace waiter::system

#endif
