#ifndef WAITER_PROCESS_POOL_LIMITS_HPP
#define WAITER_PROCESS_POOL_LIMITS_HPP

#include <waiter/options.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

namespace waiter {

inline constexpr int default_prefork = 8;
inline constexpr int default_maxfork = 1024;
inline constexpr milliseconds default_px_idle{31000};
inline constexpr int default_old_generations = 2;

/// A `maxfork` that is never reached: the system's own limits remain.
inline constexpr int no_limit = std::numeric_limits<int>::max();

/// How large a preforked pool may be, as it is used: every number is positive.
struct pool_limits {
  int prefork = default_prefork;
  int maxfork = default_maxfork;
  milliseconds px_idle = default_px_idle;
  /// Of so many generations before the last one there may be kids that have not left yet.
  int old_generations = default_old_generations;

  /// The size of the pool at rest.
  constexpr int base() const { return std::min(prefork, maxfork); }

  /// How many kids may be replaced at the same time, each by one that is made before it is asked to leave.
  constexpr int replaced_at_once() const { return std::max(1, base() / 10); }

  /// How many kids there may be at all, with those that others have taken the place of, and that finish their client.
  constexpr int most() const { return maxfork > no_limit - base() ? no_limit : maxfork + base(); }

  friend constexpr bool operator==(const pool_limits&, const pool_limits&) = default;
};

/// `maxfork` as it is used: 0 is 1024, and a negative one is no limit.
constexpr int effective_maxfork(int maxfork) {
  if (maxfork == 0) return default_maxfork;
  return maxfork < 0 ? no_limit : maxfork;
}

/// The options of a pool as they are used. A `prefork` of 0 is 8; a negative one stands for its absolute value, and caps the pool
/// there too unless `maxfork` was given. A `px_idle` below 1 s is 31 s.
constexpr pool_limits effective_pool_limits(int prefork, int maxfork, milliseconds px_idle) {
  const bool fixed = prefork < 0;
  if (prefork == 0) prefork = default_prefork;
  if (fixed) prefork = -std::max(prefork, -no_limit);  // -INT_MIN is no int
  return {
      .prefork = prefork,
      .maxfork = fixed && maxfork == 0 ? prefork : effective_maxfork(maxfork),
      .px_idle = px_idle < std::chrono::seconds(1) ? default_px_idle : px_idle,
  };
}

}  // namespace waiter

#endif
