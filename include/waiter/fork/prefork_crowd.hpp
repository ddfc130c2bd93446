#ifndef WAITER_FORK_PREFORK_CROWD_HPP
#define WAITER_FORK_PREFORK_CROWD_HPP

#include <waiter/process/door_turn.hpp>
#include <waiter/server/many_clients.hpp>
#include <waiter/system/busy_board.hpp>
#include <waiter/system/title.hpp>
#include <waiter/system/wake_up.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace waiter {

/// What a preforked kid that has many clients at once tells its pool, and what it knows of the other kids. To the pool it is busy when
/// it has as many clients as it takes; to everybody else when it has any.
template <class Host>
class prefork_crowd : public many_clients {
 public:
  /// \param due_after  so many clients are enough: then the parent is told
  prefork_crowd(Host& host, system::busy_board& board, std::size_t place, const system::wake_up& bell, system::title& title,
                std::uint32_t due_after) noexcept
      : host_(host), board_(board), place_(place), bell_(bell), title_(title), due_after_(due_after) {}

  void count(int clients, int in_handshake, bool takes_more) noexcept {
    const auto now = static_cast<std::uint32_t>(clients);
    if (now > in_hand_) ++served_;
    if (board_.many(place_, now, static_cast<std::uint32_t>(in_handshake), takes_more) && board_.must_call()) bell_.ring();
    if (now == 0 && in_hand_ != 0) since_ = clock::now();
    in_hand_ = now;
    if (now != 0)
      title_.busy(served_, now);
    else
      title_.idle(served_);
  }
  attendance all() const noexcept { return board_.at_door(); }
  int in_handshake() const noexcept { return board_.count_greeting(); }
  void ends() noexcept {
    board_.served(place_);
    if (++ended_ != due_after_) return;
    board_.due(place_);
    bell_.ring();
  }
  void enough() noexcept { host_.stop(); }
  void idle() noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(clock::now() - since_).count();
    title_.idle(served_, served_ == 0 ? -seconds : seconds);
  }

 private:
  using clock = std::chrono::steady_clock;

  Host& host_;
  system::busy_board& board_;
  const std::size_t place_;
  const system::wake_up& bell_;
  system::title& title_;
  const std::uint32_t due_after_;
  std::uint32_t served_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t in_hand_ = 0;
  std::chrono::steady_clock::time_point since_ = clock::now();
};

}  // namespace waiter

#endif
