#ifndef WAITER_SYSTEM_TITLE_HPP
#define WAITER_SYSTEM_TITLE_HPP

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#ifdef __linux__
#include <linux/prctl.h>
#include <sys/prctl.h>
#include <unistd.h>
#endif

namespace waiter::system {

/// What `ps` shows of a kid: `NAME | -:3 [12]` is idle after 3 clients and 12 s, `NAME | *:4` has its fourth.
///
/// The kernel shows the memory where the arguments of the program stand (proc(5), cmdline). A kid points it at a buffer of its own
/// (prctl(2), PR_SET_MM_MAP, which needs no privilege), so no argument and no environment variable is overwritten. Where that is
/// refused, and on other systems, titles are left alone.
class title {
 public:
  /// In the parent, once: how the process calls itself now.
  void remember() {
    std::ifstream file("/proc/self/cmdline");
    std::getline(file, name_, '\0');
    if (name_.size() > longest_name) name_.resize(longest_name);
#ifdef __linux__
    learn_map();
#endif
  }

  /// In a kid, once. False when the system does not let us.
  bool take_over() noexcept {
#ifdef __linux__
    name_.copy(text_.data(), name_.size());
    map_.brk = reinterpret_cast<std::uintptr_t>(::sbrk(0));
    map_.arg_start = reinterpret_cast<std::uintptr_t>(text_.data());
    map_.arg_end = map_.arg_start + text_.size();
    shown_ = map_.start_code != 0 && ::prctl(PR_SET_MM, PR_SET_MM_MAP, &map_, sizeof map_, 0) == 0;
#endif
    return shown_;
  }

  void busy(std::uint32_t clients) noexcept {
    if (!shown_) return;
    char* at = put(text_.data() + name_.size(), " | *:");
    finish(put(at, clients));
  }

  /// `in_hand` of them at once: `NAME | *:1234 (57)`.
  void busy(std::uint32_t clients, std::uint32_t in_hand) noexcept {
    if (!shown_) return;
    char* at = put(text_.data() + name_.size(), " | *:");
    at = put(put(at, clients), " (");
    finish(put(put(at, in_hand), ")"));
  }

  void idle(std::uint32_t clients) noexcept {
    if (!shown_) return;
    finish(put_idle(clients));
  }

  /// `seconds` since the last client; below 0: since the kid began, if it had none yet.
  void idle(std::uint32_t clients, std::int64_t seconds) noexcept {
    if (!shown_) return;
    char* at = put(put_idle(clients), " [");
    at = std::to_chars(at, text_.data() + text_.size(), seconds).ptr;
    finish(put(at, "]"));
  }

  const char* text() const noexcept { return text_.data(); }

 private:
  static constexpr std::size_t longest_name = 200;

  static char* put(char* at, std::string_view what) noexcept { return std::copy(what.begin(), what.end(), at); }
  char* put(char* at, std::uint32_t number) noexcept { return std::to_chars(at, text_.data() + text_.size(), number).ptr; }
  char* put_idle(std::uint32_t clients) noexcept {
    char* const at = put(text_.data() + name_.size(), " | -:");
    return clients == 0 ? at : put(at, clients);
  }
  void finish(char* end) noexcept { std::fill(end, std::max(end, last_), '\0'), last_ = end; }

#ifdef __linux__
  // All of the map is set at once, so the rest has to be known as it stands (proc(5), stat: fields 26 to 28 and 45 to 51).
  void learn_map() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');  // the program's name may itself hold blanks and brackets
    if (name_end == std::string::npos) return;
    std::istringstream rest(line.substr(name_end + 1));
    std::array<std::uint64_t, 52> field{};
    std::string skipped;
    for (std::size_t number = 3; number < 26; ++number) rest >> skipped;
    for (std::size_t number = 26; number < field.size(); ++number) rest >> field[number];
    if (!rest) return;
    map_.start_code = field[26];
    map_.end_code = field[27];
    map_.start_stack = field[28];
    map_.start_data = field[45];
    map_.end_data = field[46];
    map_.start_brk = field[47];
    map_.env_start = field[50];
    map_.env_end = field[51];
    map_.exe_fd = static_cast<__u32>(-1);
  }

  prctl_mm_map map_{};
#endif
  std::string name_;
  std::array<char, 256> text_{};
  char* last_ = text_.data();
  bool shown_ = false;
};

}  // namespace waiter::system

#endif
