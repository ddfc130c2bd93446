#ifndef WAITER_SERVER_LOGGER_HPP
#define WAITER_SERVER_LOGGER_HPP

#include <waiter/system/log_line.hpp>

#include <functional>
#include <sstream>
#include <string_view>

namespace waiter {

/// Puts the parts together, with `<<`, and gives the line to the logger, or to standard error when there is none. A log that
/// fails costs its line, never the client.
template <class... Parts>
void log_parts(const std::function<void(std::string_view)>& logger, const Parts&... parts) noexcept {
  try {
    std::ostringstream text;
    (text << ... << parts);
    const auto line = std::move(text).str();
    if (logger)
      logger(line);
    else
      system::write_log_line(line);
  } catch (...) {
  }
}

}  // namespace waiter

#endif
