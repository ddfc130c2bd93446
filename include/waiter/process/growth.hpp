#ifndef WAITER_PROCESS_GROWTH_HPP
#define WAITER_PROCESS_GROWTH_HPP

#include <waiter/census.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/pool_limits.hpp>
#include <waiter/process/spawn_target.hpp>

#include <optional>

namespace waiter {

/// How many kids a pool should have, seen over time.
///
/// `spawn_target` judges one moment; this adds patience and constancy. When nobody is idle the pool grows at once. When idle kids
/// are scarce it waits 5 ms for clients to go again, so that fleeting ones make no kids. And the target is set once for each
/// batch, or it would run ahead of every kid that is added.
class growth {
 public:
  static constexpr milliseconds patience{5};

  explicit constexpr growth(const pool_limits& limits) : limits_(limits) {}

  constexpr int target(census seen, instant now) {
    const bool batch_is_over = seen.busy == 0 || seen.kids >= batch_;
    if (!batch_is_over) return batch_;
    batch_ = 0;

    if (!scarce(seen) || seen.kids >= limits_.maxfork) {
      scarce_since_.reset();
      return limits_.base();
    }
    if (!scarce_since_) scarce_since_ = now;
    if (seen.idle() > 0 && now < patience_ends()) return limits_.base();

    scarce_since_.reset();
    batch_ = spawn_target(seen, limits_);
    return batch_;
  }

  /// When `target` may rise although nothing happens; `instant::max()` when it will not.
  constexpr instant patience_ends() const { return scarce_since_ ? later(*scarce_since_, patience) : instant::max(); }

 private:
  pool_limits limits_;
  int batch_ = 0;                        // the target of the batch under way
  std::optional<instant> scarce_since_;  // and not yet answered by a batch
};

}  // namespace waiter

#endif
