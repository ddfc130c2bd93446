#ifndef WAITER_SYSTEM_SERVICE_MANAGER_HPP
#define WAITER_SYSTEM_SERVICE_MANAGER_HPP

#include <waiter/error.hpp>
#include <waiter/options.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/unix_address.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waiter::system {

/// The service manager that has started this process, if it wants to hear of it: the datagrams of sd_notify(3), sent without libsystemd
/// to the socket that `NOTIFY_SOCKET` names.
///
/// What fails is not told again: a manager that is away cannot be helped. Nothing here waits for it for longer than a second.
class service_manager {
 public:
  /// Nobody: all that is said is lost.
  service_manager() = default;

  /// Who is named by the environment, which then names nobody any more, so that no program that this process starts speaks in its place. For
  /// a process with one thread.
  static service_manager take() {
    service_manager taken;
    if (const char* const address = std::getenv("NOTIFY_SOCKET")) taken.open(address);
    const auto pid = number_in("WATCHDOG_PID");
    const auto time = number_in("WATCHDOG_USEC");
    // A watchdog without a process is for whoever was started.
    if (time && *time > 0 && (!std::getenv("WATCHDOG_PID") || pid == ::getpid())) taken.watchdog_ = std::chrono::microseconds(*time);
    for (const auto* variable : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}) ::unsetenv(variable);
    return taken;
  }

  /// There is somebody.
  bool listens() const noexcept { return static_cast<bool>(socket_); }
  /// What the environment of a process has to say that is to speak to the same manager: NAME=VALUE.
  std::vector<std::string> variables() const {
    std::vector<std::string> all;
    if (to_) all.push_back("NOTIFY_SOCKET=" + to_->text());
    if (to_ && watchdog_) all.push_back("WATCHDOG_USEC=" + std::to_string(watchdog_->count()));
    return all;
  }
  /// It wants to hear `watchdog()` within each such time.
  std::optional<std::chrono::microseconds> watchdog_time() const noexcept { return watchdog_; }

  error_code ready() const noexcept { return send("READY=1"); }
  /// What is configured is read anew; `ready` ends that.
  error_code reloading() const noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000));
  }
  error_code stopping() const noexcept { return send("STOPPING=1"); }
  error_code watchdog() const noexcept { return send("WATCHDOG=1"); }
  error_code status(std::string_view line) const noexcept { return send(std::string("STATUS=").append(line)); }
  /// Another process takes the place of this one.
  error_code main_pid(pid_t pid) const noexcept { return send("MAINPID=" + std::to_string(pid)); }
  /// Keeps a copy of the descriptor, and passes it on under this name (no colon, 255 bytes at most) when the service is started again.
  error_code store(int descriptor, std::string_view name) const noexcept {
    return send(std::string("FDSTORE=1\nFDNAME=").append(name), descriptor);
  }

  /// Any lines of `NAME=VALUE`, with a copy of a descriptor if it is not -1. Does nothing when nobody listens.
  error_code send(std::string_view lines, int descriptor = -1) const noexcept {
    if (!listens()) return {};
    iovec text{const_cast<char*>(lines.data()), lines.size()};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(to_->data());
    message.msg_namelen = to_->size();
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    if (descriptor >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* const head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof descriptor);
      std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    }
    while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0)
      if (errno != EINTR) return {errno, boost::system::system_category()};
    return {};
  }

  /// In a kid: it has nothing to say to its parent's manager.
  void leave() noexcept {
    socket_.reset();
    watchdog_.reset();
  }

 private:
  void open(std::string_view address) noexcept {
    // A path or an abstract name; sockets of other families (vsock) are for virtual machines.
    if (address.empty() || (address.front() != '/' && address.front() != '@')) return;
    to_ = unix_address::of(address);
    if (!to_) return;
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const timeval longest{1, 0};
    if (socket_) ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  }

  static std::optional<std::int64_t> number_in(const char* variable) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    const std::string_view digits = text;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }

  descriptor socket_;
  std::optional<unix_address> to_;
  std::optional<std::chrono::microseconds> watchdog_;
};

/// That of this process, taken from the environment when first asked for.
inline service_manager& manager_of_this_process() {
  static service_manager taken = service_manager::take();
  return taken;
}

}  // namespace waiter::system

#endif
