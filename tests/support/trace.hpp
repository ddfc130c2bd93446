// The trace of hooks that examples/3_every_hook writes, one line a hook:
//   MILLISECONDS P|C PID HOOK key=value…
#ifndef WAITER_TESTS_SUPPORT_TRACE_HPP
#define WAITER_TESTS_SUPPORT_TRACE_HPP

#include "support/deadline.hpp"

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace support {

struct trace_line {
  long at{0};      ///< milliseconds since the program began
  char side{'?'};  ///< P or C, as the program itself saw it
  pid_t pid{0};
  std::string hook{};
  std::map<std::string, std::string, std::less<>> values{};
  std::string whole{};

  bool has(std::string_view key) const { return values.contains(key); }
  /// Throws, and shows the line, when it has no such key.
  const std::string& text(std::string_view key) const;
  long number(std::string_view key) const;
};

/// Nothing when it is no such line.
std::optional<trace_line> parse_trace_line(std::string_view line);

/// Which line is meant: every member that is set must fit, then the `nth` such line counts.
struct wanted {
  std::string hook{};
  pid_t pid{0};
  std::map<std::string, std::string, std::less<>> values{};
  std::size_t nth{1};

  bool fits(const trace_line& line) const;
  std::string in_words() const;
};

class trace {
 public:
  /// Makes the file, empty.
  explicit trace(std::filesystem::path path);
  ~trace();
  trace(const trace&) = delete;
  trace& operator=(const trace&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// All that is written up to now.
  const std::vector<trace_line>& lines();
  /// Copies of the lines that fit; `nth` is ignored.
  std::vector<trace_line> all(const wanted& which);
  std::size_t count(const wanted& which) { return all(which).size(); }

  /// Waits for the line; throws with the whole trace in the message when it does not come.
  trace_line wait_for(const wanted& which, milliseconds within = patience);
  /// Nothing when it does not come.
  std::optional<trace_line> seek(const wanted& which, milliseconds within);
  /// True when no new line that fits is written for so long.
  bool quiet(const wanted& which, milliseconds span);

  /// A process's hooks in order, idle hooks and the `on_` left out: "server_begin listen_ok server_close".
  std::string sequence(pid_t pid);
  /// Every process that wrote a line, in order of its first.
  std::vector<pid_t> pids();
  /// For messages.
  std::string whole();

 private:
  bool wait_for_growth(const deadline& end);

  std::filesystem::path path_;
  std::vector<trace_line> lines_;
  std::string rest_;
  int file_{-1};
  int watch_{-1};
};

bool is_idle_hook(std::string_view hook);

}  // namespace support

#endif
