#include "visit.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace load {
namespace {

/// Socket and source address; -1 when it is our own fault that there is none.
int open_socket(const settings& asked, long number) {
  const int fd = ::socket(asked.to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  if (!asked.congestion.empty())
    ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, asked.congestion.data(), static_cast<socklen_t>(asked.congestion.size()));
  const int on = 1;
  if (asked.requests > 0) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (asked.reset) {
    const linger none{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  if (!asked.spread) return fd;
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f010001U + static_cast<std::uint32_t>(number) % 0x00fd0000U);  // 127.1.0.1 and on
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0) return fd;
  ::close(fd);
  return -1;
}

outcome why_not_connected(int reason) {
  switch (reason) {
    case ECONNREFUSED: return refused;
    case ETIMEDOUT: return connect_timeout;
    case ECONNRESET: return reset_after_connect;
    default: return own_error;
  }
}

}  // namespace

visit::visit(const settings& asked, account& books, long number, instant began)
    : asked_(asked),
      books_(books),
      slow_(asked.slow_every > 0 && number % asked.slow_every == 0),
      requests_left_(asked.requests),
      rest_(slow_ ? asked.slow_say : asked.say),
      began_(began),
      until_(began + asked.patience) {
  const int fd = open_socket(asked, number);
  if (fd < 0) {
    early_ = own_error;
    return;
  }
  wire_ = make_wire(asked, fd);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&asked.to), asked.size) != 0 && errno != EINPROGRESS)
    early_ = why_not_connected(errno);
}

std::optional<outcome> visit::out_of_time(instant now) const {
  if (now < until_) return std::nullopt;
  return phase_ == phase::connecting ? connect_timeout : answer_timeout;
}

std::optional<outcome> visit::connected() {
  int reason = 0;
  socklen_t size = sizeof reason;
  ::getsockopt(wire_->fd(), SOL_SOCKET, SO_ERROR, &reason, &size);
  if (reason != 0) return why_not_connected(reason);
  phase_ = phase::greeting;
  until_ = clock::now() + asked_.patience;
  return std::nullopt;
}

std::optional<outcome> visit::go_on(std::uint32_t events) {
  if (early_) return early_;
  if (phase_ == phase::connecting) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return std::nullopt;
    if (const auto failed = connected()) return failed;
  }
  if (phase_ == phase::greeting) {
    if (const step how = wire_->greet(); how != step::done) return stopped(how);
    if (wire_->resumed()) books_.resumed();
    phase_ = phase::saying;
    asked_at_ = began_;
  }
  for (;;) {
    if (phase_ == phase::saying) {
      const std::size_t before = rest_.size();
      const step how = wire_->send(rest_);
      books_.bytes(before - rest_.size(), 0);
      // Who could not say all of it may have been answered all the same.
      if (how == step::wants_read || how == step::wants_write) return std::nullopt;
      if (how == step::done && asked_.half_close) wire_->say_end();
      phase_ = phase::hearing;
    }
    // In clear, what is not there yet need not be asked for: there is going to be another edge.
    if (!asked_.tls && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return std::nullopt;
    if (const auto end = hear()) return end;
    if (phase_ == phase::hearing) return std::nullopt;
    events = 0;  // what it asks now has not been answered yet
  }
}

/// Until there is no more to be had, the client has ended, or it has something to say again.
std::optional<outcome> visit::hear() {
  for (;;) {
    std::string_view part;
    const step how = wire_->receive(part);
    if (how != step::done) return stopped(how);
    const instant now = clock::now();
    if (!std::exchange(heard_first_, true)) books_.first_byte(slow_, began_, now);
    heard_ += part.size();
    books_.bytes(0, part.size());
    if (!asked_.expect.empty()) {
      got_ += part;
      if (got_.find(asked_.expect) != got_.npos) return answered;
    }
    if (asked_.requests > 0 && heard_ >= asked_.say.size()) {
      books_.request(asked_at_, now);
      if (--requests_left_ == 0) return answered;
      heard_ = 0;
      rest_ = asked_.say;
      asked_at_ = now;
      phase_ = phase::saying;
      return std::nullopt;
    }
  }
}

std::optional<outcome> visit::stopped(step how) const {
  switch (how) {
    case step::done:
    case step::wants_read:
    case step::wants_write: return std::nullopt;
    case step::reset: return reset_after_connect;
    case step::failed: return own_error;
    case step::end: break;
  }
  return asked_.expect.empty() && asked_.requests == 0 && heard_ > 0 ? answered : closed_without_answer;
}

}  // namespace load
