#ifndef WAITER_PROCESS_KID_REPORT_HPP
#define WAITER_PROCESS_KID_REPORT_HPP

#include <waiter/process/child_table.hpp>
#include <waiter/process/instant.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace waiter {

/// `starting`: not yet ready to accept. `idle`: waits for a client. `open`: has some, and takes more. `busy`: has one, or as many as it
/// takes.
enum class activity { starting, idle, open, busy };

/// What a kid says of itself, and since when. It is gossip: late, or wrong when the kid has gone wild. A lie costs a fork too
/// many or too few, and never more.
struct kid_report {
  activity state = activity::starting;
  instant since{};
  bool due = false;  ///< it has had as many clients as it should
};

/// What the kid of a slot says, where `reports` has one place for each slot: not before it was born, and not in the future. A kid
/// without a place is starting.
constexpr kid_report hear(std::span<const kid_report> reports, std::size_t slot, const child_table::kid& kid, instant now) {
  const kid_report said = slot < reports.size() ? reports[slot] : kid_report{};
  return {said.state, std::max(kid.born, std::min(said.since, now)), said.due};
}

}  // namespace waiter

#endif
