#ifndef WAITER_PROCESS_RETIREMENT_HPP
#define WAITER_PROCESS_RETIREMENT_HPP

#include <waiter/census.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/kid_report.hpp>
#include <waiter/process/pool_limits.hpp>
#include <waiter/process/spawn_target.hpp>
#include <waiter/process/take_census.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

namespace waiter {

/// Which kid should leave, or when to ask again.
struct retirement {
  std::optional<std::size_t> leaver;  ///< of several, the one in the highest slot
  instant look_again = instant::max();
};

/// A pool above its base lets a kid go that was idle for `px_idle`, down to the base exactly; but not when idle kids would be
/// scarce without it, because then another would be made. A pool at its base, or below, retires nobody, however long they are
/// idle.
inline retirement next_retirement(const child_table& kids, std::span<const kid_report> reports, const pool_limits& limits,
                                  instant now) {
  const census seen = take_census(kids, reports);
  if (seen.kids <= limits.base()) return {};
  // Who is not idle now may be so from now on, and nobody tells.
  const instant soonest_for_others = later(now, limits.px_idle);
  if (scarce({.busy = seen.busy, .kids = seen.kids - 1})) return {.leaver = {}, .look_again = soonest_for_others};

  retirement next{.leaver = {}, .look_again = soonest_for_others};
  kids.for_each([&](std::size_t slot, const child_table::kid& kid) {
    const kid_report said = hear(reports, slot, kid, now);
    if (kid.asked || kid.stopped || said.state != activity::idle) return;
    const instant due = later(said.since, limits.px_idle);
    if (due <= now) next.leaver = slot;
    next.look_again = std::min(next.look_again, due);
  });
  return next;
}

}  // namespace waiter

#endif
