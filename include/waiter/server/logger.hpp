#ifndef WAITER_SERVER_LOGGER_HPP
#define WAITER_SERVER_LOGGER_HPP

#include <waiter/system/log_line.hpp>

#include <chrono>
#include <functional>
#include <sstream>
#include <string_view>
#include <utility>

namespace waiter {

/// Puts the parts together, with `<<`, and gives the line to the logger, or to standard error when there is none. A log that
/// fails costs its line, never the client.
template <class... Parts>
void log_parts(const std::function<void(std::string_view)>& logger, const Parts&... parts) noexcept {
  try {
    std::ostringstream text;
    static_cast<void>((text << ... << parts));
    const auto line = std::move(text).str();
    if (logger)
      logger(line);
    else
      system::write_log_line(line);
  } catch (...) {
  }
}

/// For a line about trouble that lasts.
class once_a_second {
 public:
  bool due() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (now < last_ + std::chrono::seconds(1)) return false;
    last_ = now;
    return true;
  }
  /// Where several processes notice the same, `all` knows whether one of them has said it.
  template <class Shared>
  bool due(Shared& all) noexcept {
    if constexpr (requires { all.first_this_second(); })
      return all.first_this_second();
    else
      return due();
  }

 private:
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace waiter

#endif
