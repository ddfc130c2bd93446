#ifndef WAITER_PROCESS_DOOR_TURN_HPP
#define WAITER_PROCESS_DOOR_TURN_HPP

#include <waiter/options.hpp>

#include <cstdint>

namespace waiter {

/// The clients of all processes that take clients at one door, and how many such processes there are.
struct attendance {
  std::int64_t clients = 0;
  int processes = 0;

  friend constexpr bool operator==(const attendance&, const attendance&) = default;
};

/// What a process with many clients does when somebody stands at the door.
enum class door_turn {
  take,   ///< it is this one's turn
  yield,  ///< others have fewer: they go first, for a moment
  full,   ///< it takes nobody, and is not woken
};

/// A process that has its share of the clients, or less, takes the next one. One that has more lets the others go first; what they
/// have not taken after `door_patience` it takes all the same, since they may be at work. The share is the mean, and a sixteenth.
///
/// \param mine  clients of this process, which is one of `all`
/// \param most  it takes no more than these
constexpr door_turn turn_at_door(int mine, int most, const attendance& all) {
  if (mine >= most) return door_turn::full;
  const std::int64_t processes = all.processes;
  return mine * processes <= all.clients + all.clients / 16 ? door_turn::take : door_turn::yield;
}

/// So long a process that has more than its share waits for the others, and so many it takes then.
inline constexpr milliseconds door_patience{2};
inline constexpr int most_after_patience = 4;
/// So many clients are taken at once, before those who are there get their turn.
inline constexpr int most_at_once = 16;

}  // namespace waiter

#endif
