#ifndef WAITER_TESTS_SUPPORT_DEADLINE_HPP
#define WAITER_TESTS_SUPPORT_DEADLINE_HPP

#include <algorithm>
#include <chrono>

namespace support {

using milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

/// How long a test waits for what must come but has no number of its own; long, for a busy machine and for sanitizers.
inline constexpr milliseconds patience{30000};

/// A moment on the monotonic clock until which something may take.
class deadline {
 public:
  explicit deadline(milliseconds span) : at_{std::chrono::steady_clock::now() + span} {}

  bool over() const { return std::chrono::steady_clock::now() >= at_; }

  /// What is left in whole milliseconds as poll(2) takes it: never negative, never 0 before the end.
  int left() const {
    const auto span = std::chrono::ceil<milliseconds>(at_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<milliseconds::rep>(span.count(), 0));
  }

 private:
  std::chrono::steady_clock::time_point at_;
};

/// The time since it was made.
class stopwatch {
 public:
  milliseconds elapsed() const { return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start_); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace support

#endif
