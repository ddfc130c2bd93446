#ifndef WAITER_PROCESS_ADMISSION_HPP
#define WAITER_PROCESS_ADMISSION_HPP

namespace waiter {

/// What becomes of a client that was just accepted.
enum class admission { serve, turn_away };

/// A kid for each client, as long as there are fewer than `maxfork` of them.
constexpr admission admit(int kids, int maxfork) { return kids < maxfork ? admission::serve : admission::turn_away; }

}  // namespace waiter

#endif
