#ifndef WAITER_SYSTEM_REAP_HPP
#define WAITER_SYSTEM_REAP_HPP

#include <sys/wait.h>

#include <optional>

namespace waiter::system {

struct ended_kid {
  pid_t pid;
  int status;  ///< as waitpid(2) gives it
};

/// Reaps the next kid that has ended, without blocking. Children of the embedding program keep their statuses.
///
/// `ours(pid)` tells a kid of the server, `pids()` lists all of them. The look (WNOWAIT, waitid(2)) takes nothing away; only a pid
/// of ours is waited for, by itself. A foreign child that nobody has reaped yet hides those behind it, so then each of ours is
/// asked. Orphans that process 1 inherits are not reaped here (`own_children`).
template <class Ours, class Pids>
std::optional<ended_kid> reap_next(Ours&& ours, Pids&& pids) {
  siginfo_t seen{};
  if (::waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0) return std::nullopt;
  const pid_t pid = seen.si_pid;
  int status = 0;
  if (ours(pid)) return ::waitpid(pid, &status, WNOHANG) == pid ? std::optional<ended_kid>({pid, status}) : std::nullopt;
  for (const pid_t kid : pids())
    if (::waitpid(kid, &status, WNOHANG) == kid) return ended_kid{kid, status};
  return std::nullopt;
}

}  // namespace waiter::system

#endif
