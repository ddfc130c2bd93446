#ifndef WAITER_PROCESS_INSTANT_HPP
#define WAITER_PROCESS_INSTANT_HPP

#include <waiter/options.hpp>

#include <algorithm>
#include <chrono>

namespace waiter {

/// A moment, always passed in: no decision looks at a clock. The clock is monotonic, so setting the time of day moves nothing.
using instant = std::chrono::steady_clock::time_point;

/// `start` plus `span`. A negative span is none, and a sum beyond the end of time, as with `waiter::never`, is `instant::max()`.
constexpr instant later(instant start, milliseconds span) noexcept {
  const auto room = std::chrono::duration_cast<milliseconds>(instant::max() - std::max(start, instant()));
  if (span >= room) return instant::max();
  return start + std::max(span, milliseconds::zero());
}

}  // namespace waiter

#endif
