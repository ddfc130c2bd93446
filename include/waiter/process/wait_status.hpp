#ifndef WAITER_PROCESS_WAIT_STATUS_HPP
#define WAITER_PROCESS_WAIT_STATUS_HPP

#include <waiter/process/signal_name.hpp>

#include <sys/wait.h>

#include <string>

namespace waiter {

/// True when the process left by itself, with status 0.
inline bool ended_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

/// True when a signal ended the process: `WTERMSIG(status)` is the one.
inline bool was_killed(int status) { return WIFSIGNALED(status); }

/// How a process ended, in words, from the raw status that wait(2) gives and on_sig_child receives: "exited with status 3",
/// "was killed by SIGSEGV (core dumped)".
inline std::string describe_wait_status(int status) {
  const auto signal = [](int number) {
    const auto name = signal_name(number);
    return name.empty() ? "signal " + std::to_string(number) : std::string(name);
  };
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "was killed by " + signal(WTERMSIG(status)) + (WCOREDUMP(status) ? " (core dumped)" : "");
  if (WIFSTOPPED(status)) return "was stopped by " + signal(WSTOPSIG(status));
  if (WIFCONTINUED(status)) return "was continued";
  return "changed in an unknown way (status " + std::to_string(status) + ")";
}

}  // namespace waiter

#endif
