#ifndef WAITER_PROCESS_TAKE_CENSUS_HPP
#define WAITER_PROCESS_TAKE_CENSUS_HPP

#include <waiter/census.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/kid_report.hpp>

#include <cstddef>
#include <span>

namespace waiter {

/// Counts the kids that the pool can rely on: not those that were asked to leave, or are stopped by a signal. One that is starting
/// counts as idle, because it soon will be, and one that has many clients too, as long as it takes more.
inline census take_census(const child_table& kids, std::span<const kid_report> reports) {
  census count;
  kids.for_each([&](std::size_t slot, const child_table::kid& kid) {
    if (kid.asked || kid.stopped) return;
    ++count.kids;
    if (slot < reports.size() && reports[slot].state == activity::busy) ++count.busy;
  });
  return count;
}

}  // namespace waiter

#endif
