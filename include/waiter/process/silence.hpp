#ifndef WAITER_PROCESS_SILENCE_HPP
#define WAITER_PROCESS_SILENCE_HPP

namespace waiter {

/// Whether the clients of a process are the kind that says nothing (who asks for the time is told it, and leaves): so many in a row
/// were finished without a byte from them.
class silence {
 public:
  static constexpr int known_after = 64;

  /// A client is finished.
  constexpr void finished(bool spoke) noexcept { in_a_row_ = spoke ? 0 : in_a_row_ + (in_a_row_ < known_after); }

  constexpr bool is_usual() const noexcept { return in_a_row_ == known_after; }

 private:
  int in_a_row_ = 0;
};

}  // namespace waiter

#endif
