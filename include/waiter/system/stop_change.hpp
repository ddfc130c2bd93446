#ifndef WAITER_SYSTEM_STOP_CHANGE_HPP
#define WAITER_SYSTEM_STOP_CHANGE_HPP

#include <sys/types.h>
#include <sys/wait.h>

#include <csignal>
#include <optional>

namespace waiter::system {

/// Whether this kid was stopped (true) or continued (false) since that was last asked; nothing when neither happened. Each kid is
/// asked by its own pid, and its end is not touched (waitid(2), WSTOPPED without WEXITED).
inline std::optional<bool> take_stop_change(pid_t kid) noexcept {
  siginfo_t seen{};
  if (::waitid(P_PID, static_cast<id_t>(kid), &seen, WSTOPPED | WCONTINUED | WNOHANG) != 0 || seen.si_pid == 0) return std::nullopt;
  return seen.si_code == CLD_STOPPED;
}

}  // namespace waiter::system

#endif
