#ifndef WAITER_SERVER_MAKE_WAY_HPP
#define WAITER_SERVER_MAKE_WAY_HPP

#include <waiter/process/child_table.hpp>
#include <waiter/system/busy_board.hpp>
#include <waiter/system/signal_mailbox.hpp>

#include <csignal>
#include <cstddef>

namespace waiter {

/// In the parent: when more clients are in their handshake than `most`, those who have been at it for longest give way to those who came
/// later. A kid that is told looks at the board itself, so one that is told too late, or twice, cuts nobody.
///
/// A client that means it is done with its handshake within moments, one that stalls is not. So stallers push out each other, and a
/// newcomer is served at once; were the newcomer closed instead, a few silent clients would be all it takes to keep everybody out.
inline void make_way(const system::busy_board& board, const child_table& kids, int most) noexcept {
  if (most <= 0 || board.count_greeting() <= most) return;
  kids.for_each([&](std::size_t place, const child_table::kid& kid) {
    if (board.gives_way(place, most)) ::kill(kid.pid, system::give_way_signal());
  });
}

}  // namespace waiter

#endif
