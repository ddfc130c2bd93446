#include "support/client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace support {
namespace {

struct socket_address {
  sockaddr_storage storage{};
  socklen_t size{0};
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

socket_address make_address(const std::string& text, std::uint16_t port) {
  socket_address result;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&result.storage, &four, sizeof four);
    result.size = sizeof four;
  } else if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&result.storage, &six, sizeof six);
    result.size = sizeof six;
  } else {
    throw std::invalid_argument{"not an address: " + text};
  }
  return result;
}

[[noreturn]] void fail(const std::string& what) { throw std::system_error{errno, std::generic_category(), what}; }

}  // namespace

std::ostream& operator<<(std::ostream& out, outcome how) {
  switch (how) {
    case outcome::answered: return out << "answered";
    case outcome::end_of_stream: return out << "end_of_stream";
    case outcome::refused: return out << "refused";
    case outcome::reset: return out << "reset";
    case outcome::timed_out: return out << "timed_out";
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const reply& got) { return out << got.how << " \"" << got.text << '"'; }

client::client(std::uint16_t port, const std::string& address) {
  auto to = make_address(address, port);
  socket_ = ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("socket");
  const timeval limit{patience.count() / 1000, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  connected_ = ::connect(socket_, to.get(), to.size) == 0;
  if (!connected_ && errno != ECONNREFUSED) fail("connect to " + address + ':' + std::to_string(port));
}

client client::at_socket(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path) throw std::invalid_argument{"not a path of a socket: " + path};
  path.copy(to.sun_path, path.size());
  const bool abstract = path.front() == '@';
  if (abstract) to.sun_path[0] = '\0';
  client made;
  made.socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made.socket_ < 0) fail("socket");
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  made.connected_ = ::connect(made.socket_, reinterpret_cast<sockaddr*>(&to), size) == 0;
  if (!made.connected_ && errno != ECONNREFUSED && errno != ENOENT) fail("connect to " + path);
  return made;
}

client::client(client&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)},
      connected_{std::exchange(other.connected_, false)},
      unread_{std::move(other.unread_)} {}

client::~client() { close(); }

bool client::send(std::string_view text) {
  while (!text.empty()) {
    const auto size = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

std::optional<outcome> client::read_some(const deadline& end) {
  if (!connected_) return outcome::refused;
  pollfd event{socket_, POLLIN, 0};
  if (::poll(&event, 1, end.left()) <= 0) return end.over() ? std::optional{outcome::timed_out} : std::nullopt;
  std::array<char, 16384> buffer;
  const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (size > 0) {
    unread_.append(buffer.data(), static_cast<std::size_t>(size));
    return std::nullopt;
  }
  if (size == 0) return outcome::end_of_stream;
  if (errno == ECONNRESET || errno == EPIPE) return outcome::reset;
  if (errno == EINTR || errno == EAGAIN) return std::nullopt;
  fail("recv");
}

std::string client::read_line(milliseconds within) {
  const deadline end{within};
  for (;;) {
    if (const auto feed = unread_.find('\n'); feed != std::string::npos) {
      auto line = unread_.substr(0, feed + 1);
      unread_.erase(0, feed + 1);
      return line;
    }
    if (read_some(end)) return std::exchange(unread_, {});
  }
}

reply client::read_all(milliseconds within) {
  const deadline end{within};
  for (;;) {
    if (const auto stopped = read_some(end)) {
      reply result{std::exchange(unread_, {}), *stopped};
      if (result.how == outcome::end_of_stream && !result.text.empty()) result.how = outcome::answered;
      return result;
    }
  }
}

reply client::ask(std::string_view text, milliseconds within) {
  if (connected_) send(text);
  return read_all(within);
}

bool client::is_heard_out(std::string_view text) {
  if (!send(text)) return false;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) fail("TCP_INFO");
  return info.tcpi_state == TCP_CLOSE_WAIT;
}

void client::half_close() { ::shutdown(socket_, SHUT_WR); }

void client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void client::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  connected_ = false;
}

occupied_port::occupied_port(const std::string& address) {
  auto here = make_address(address, 0);
  socket_ = ::socket(here.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || ::bind(socket_, here.get(), here.size) != 0 || ::listen(socket_, 1) != 0) fail("listen");
  if (::getsockname(socket_, here.get(), &here.size) != 0) fail("getsockname");
  sockaddr_in four{};
  std::memcpy(&four, &here.storage, sizeof four);  // the port stands at the same place in IPv6
  number_ = ntohs(four.sin_port);
}

occupied_port::~occupied_port() { ::close(socket_); }

}  // namespace support
