#ifndef WAITER_PROCESS_SPAWN_TARGET_HPP
#define WAITER_PROCESS_SPAWN_TARGET_HPP

#include <waiter/census.hpp>
#include <waiter/process/pool_limits.hpp>

namespace waiter {

/// True when somebody is busy and a tenth of the kids plus one, or fewer, are idle. A pool without a client is never scarce.
constexpr bool scarce(census now) { return now.busy > 0 && now.idle() <= 1 + now.kids / 10; }

/// How many kids a preforked pool should have now: `prefork` of them, and another `prefork` on top of those it has while idle ones
/// are scarce; never more than `maxfork`.
constexpr int spawn_target(census now, const pool_limits& limits) {
  if (!scarce(now)) return limits.base();
  const bool room_for_a_batch = now.kids <= limits.maxfork - limits.prefork;
  return room_for_a_batch ? now.kids + limits.prefork : limits.maxfork;
}

}  // namespace waiter

#endif
