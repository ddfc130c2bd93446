#include "support/trace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace support {

const std::string& trace_line::text(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) throw std::runtime_error{"no " + std::string{key} + "= in the line: " + whole};
  return found->second;
}

long trace_line::number(std::string_view key) const {
  const auto& value = text(key);
  try {
    return std::stol(value);
  } catch (const std::exception&) {
    throw std::runtime_error{std::string{key} + "= is no number in the line: " + whole};
  }
}

std::optional<trace_line> parse_trace_line(std::string_view line) {
  trace_line result;
  result.whole = line;
  std::istringstream words{result.whole};
  std::string side;
  if (!(words >> result.at >> side >> result.pid >> result.hook) || side.size() != 1) return std::nullopt;
  result.side = side.front();
  if (!result.hook.starts_with("on_")) result.hook.insert(0, "on_");
  std::string word;
  std::string last;
  while (words >> word) {
    const auto equals = word.find('=');
    if (equals != std::string::npos && equals > 0) {
      last = word.substr(0, equals);
      result.values[last] = word.substr(equals + 1);
    } else if (!last.empty()) {
      result.values[last] += ' ' + word;  // a message with blanks
    }
  }
  return result;
}

bool wanted::fits(const trace_line& line) const {
  if (!hook.empty() && line.hook != hook) return false;
  if (pid != 0 && line.pid != pid) return false;
  return std::all_of(values.begin(), values.end(), [&](const auto& pair) {
    const auto found = line.values.find(pair.first);
    return found != line.values.end() && found->second == pair.second;
  });
}

std::string wanted::in_words() const {
  auto result = (nth > 1 ? "number " + std::to_string(nth) + " of " : std::string{}) + (hook.empty() ? "any hook" : hook);
  if (pid != 0) result += " in process " + std::to_string(pid);
  for (const auto& [key, value] : values) result += ' ' + key + '=' + value;
  return result;
}

trace::trace(std::filesystem::path path) : path_{std::move(path)} {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) throw std::system_error{errno, std::generic_category(), path_.string()};
  watch_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watch_ >= 0) ::inotify_add_watch(watch_, path_.c_str(), IN_MODIFY);
}

trace::~trace() {
  ::close(file_);
  if (watch_ >= 0) ::close(watch_);
}

const std::vector<trace_line>& trace::lines() {
  std::array<char, 65536> buffer;
  for (;;) {
    const auto size = ::read(file_, buffer.data(), buffer.size());
    if (size <= 0) break;
    rest_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  std::size_t begin = 0;
  for (auto end = rest_.find('\n'); end != std::string::npos; begin = end + 1, end = rest_.find('\n', begin)) {
    const auto line = std::string_view{rest_}.substr(begin, end - begin);
    auto parsed = parse_trace_line(line);
    if (!parsed) throw std::runtime_error{"not a line of a trace: " + std::string{line}};
    lines_.push_back(std::move(*parsed));
  }
  rest_.erase(0, begin);
  return lines_;
}

std::vector<trace_line> trace::all(const wanted& which) {
  std::vector<trace_line> result;
  for (const auto& line : lines()) {
    if (which.fits(line)) result.push_back(line);
  }
  return result;
}

bool trace::wait_for_growth(const deadline& end) {
  if (end.over()) return false;
  pollfd event{watch_, POLLIN, 0};
  // Without inotify (its instances are counted per user) it looks again every few milliseconds.
  ::poll(&event, watch_ >= 0 ? 1 : 0, watch_ >= 0 ? end.left() : std::min(end.left(), 5));
  std::array<char, 4096> forgotten;
  while (watch_ >= 0 && ::read(watch_, forgotten.data(), forgotten.size()) > 0) {
  }
  return true;
}

std::optional<trace_line> trace::seek(const wanted& which, milliseconds within) {
  const deadline end{within};
  std::size_t looked_at = 0;
  std::size_t found = 0;
  for (;;) {
    for (const auto& all_lines = lines(); looked_at < all_lines.size(); ++looked_at) {
      if (which.fits(all_lines[looked_at]) && ++found == which.nth) return all_lines[looked_at];
    }
    if (!wait_for_growth(end)) return std::nullopt;
  }
}

trace_line trace::wait_for(const wanted& which, milliseconds within) {
  if (auto line = seek(which, within)) return std::move(*line);
  throw std::runtime_error{"within " + std::to_string(within.count()) + " ms there was no " + which.in_words() +
                           " in this trace:\n" + whole()};
}

bool trace::quiet(const wanted& which, milliseconds span) {
  auto next = which;
  next.nth = count(which) + 1;
  return !seek(next, span).has_value();
}

std::string trace::sequence(pid_t pid) {
  std::string result;
  for (const auto& line : lines()) {
    if (line.pid != pid || is_idle_hook(line.hook)) continue;
    if (!result.empty()) result += ' ';
    result += line.hook.substr(3);
  }
  return result;
}

std::vector<pid_t> trace::pids() {
  std::vector<pid_t> result;
  for (const auto& line : lines()) {
    if (std::find(result.begin(), result.end(), line.pid) == result.end()) result.push_back(line.pid);
  }
  return result;
}

std::string trace::whole() {
  std::string result;
  for (const auto& line : lines()) result += line.whole + '\n';
  return result;
}

bool is_idle_hook(std::string_view hook) { return hook == "on_forking_idle" || hook == "on_prefork_child_idle"; }

}  // namespace support
