#ifndef WAITER_SYSTEM_LOG_LINE_HPP
#define WAITER_SYSTEM_LOG_LINE_HPP

#include <unistd.h>

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

namespace waiter::system {

/// Writes one line to standard error: the local time, the process, the text. In one write(2), so lines of several processes do
/// not mix (up to PIPE_BUF in a pipe, pipe(7)). A disk that is full, or a reader that is gone, costs the line and nothing else.
inline void write_log_line(std::string_view text) {
  std::time_t now = std::time(nullptr);
  std::tm parts{};
  char stamp[32];
  const std::size_t length = ::localtime_r(&now, &parts) ? std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts) : 0;
  std::string line(stamp, length);
  line.append(" [").append(std::to_string(::getpid())).append("] ").append(text).push_back('\n');
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace waiter::system

#endif
