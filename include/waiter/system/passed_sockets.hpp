#ifndef WAITER_SYSTEM_PASSED_SOCKETS_HPP
#define WAITER_SYSTEM_PASSED_SOCKETS_HPP

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waiter::system {

/// A descriptor that a service manager has passed to this process, and what it calls it.
struct passed_socket {
  int descriptor = -1;
  std::string name{};
};

/// What a service manager has passed to this process (sd_listen_fds(3)): descriptors from 3 on, as many as `LISTEN_FDS` says, if
/// `LISTEN_PID` is this process; `LISTEN_FDNAMES` has their names, with colons between, or they are called "unknown".
struct passed_sockets {
  std::vector<passed_socket> all{};
  /// Why there is none, as the rest of a sentence.
  std::string why_none{};

  static constexpr int first_descriptor = 3;

  /// Takes them: from now on no program that this process starts gets the descriptors, or is told of them by the environment. What is
  /// meant for another process is left as it is. Like all that changes the environment it is for a process with one thread.
  static passed_sockets take() {
    passed_sockets taken;
    const auto none = [&taken](std::string why) {
      taken.all.clear();
      taken.why_none = std::move(why);
      return taken;
    };
    const auto pid = number_in("LISTEN_PID");
    if (!std::getenv("LISTEN_PID")) return none("none was passed to this process (LISTEN_PID is not set)");
    if (pid != ::getpid()) return none("LISTEN_PID is not this process, so none is meant for it");
    const auto count = number_in("LISTEN_FDS");
    const char* const listed = std::getenv("LISTEN_FDNAMES");
    const std::string names = listed ? listed : "";
    for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
    if (!count || *count < 1) return none("LISTEN_FDS does not say how many were passed");

    for (int number = 0; number < *count; ++number) {
      const int descriptor = first_descriptor + number;
      if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) return none("LISTEN_FDS says " + std::to_string(*count) + ", but descriptor " + std::to_string(descriptor) + " is not open");
      taken.all.push_back({descriptor, "unknown"});
    }
    if (!listed) return taken;
    std::size_t number = 0;
    for (std::string_view rest = names;; ++number) {
      const auto end = rest.find(':');
      if (number < taken.all.size()) taken.all[number].name = rest.substr(0, end);
      if (end == rest.npos) break;
      rest.remove_prefix(end + 1);
    }
    if (++number != taken.all.size()) return none("LISTEN_FDS says " + std::to_string(*count) + ", but LISTEN_FDNAMES has " + std::to_string(number) + " names");
    return taken;
  }

 private:
  static std::optional<int> number_in(const char* variable) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    const std::string_view digits = text;
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }
};

/// Those of this process, taken when first asked for. They stay open for as long as the process lives, so that a server may run again. A server that
/// takes another one's place adds those that were passed to that one.
inline passed_sockets& passed_to_this_process() {
  static passed_sockets taken = passed_sockets::take();
  return taken;
}

}  // namespace waiter::system

#endif
