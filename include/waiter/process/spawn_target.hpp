#ifndef WAITER_PROCESS_SPAWN_TARGET_HPP
#define WAITER_PROCESS_SPAWN_TARGET_HPP

#include <waiter/census.hpp>
#include <waiter/process/pool_limits.hpp>

namespace waiter {

/// When so few of the kids are idle, they are scarce: a tenth of them plus one.
constexpr int low_mark(int kids) { return 1 + kids / 10; }

/// True when somebody is busy, and no more than `low_mark` are idle. A pool without a client is never scarce.
constexpr bool scarce(census now) { return now.busy > 0 && now.idle() <= low_mark(now.kids); }

/// How many kids a preforked pool should have now: `prefork` of them, and another `prefork` on top of those it has while idle
/// ones are scarce; never more than `maxfork`.
constexpr int spawn_target(census now, const pool_limits& limits) {
  if (!scarce(now)) return limits.base();
  const bool room_for_a_batch = now.kids <= limits.maxfork - limits.prefork;
  return room_for_a_batch ? now.kids + limits.prefork : limits.maxfork;
}

}  // namespace waiter

#endif
