// What the kernel says about other processes (proc(5)).
#ifndef WAITER_TESTS_SUPPORT_PROCESS_INFO_HPP
#define WAITER_TESTS_SUPPORT_PROCESS_INFO_HPP

#include "support/deadline.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace support {

struct process_state {
  pid_t pid{0};
  pid_t parent{0};
  pid_t group{0};
  char state{'?'};      ///< R, S, D, T, Z … as in proc(5)
  milliseconds cpu{0};  ///< user and system time used so far, in clock ticks' precision
  std::string name{};
};

/// Nothing when there is no such process; a zombie is there, with state 'Z'.
std::optional<process_state> look_at(pid_t pid);

/// Alive: there and no zombie.
bool alive(pid_t pid);

std::vector<process_state> all_processes();
/// Zombies included.
std::set<pid_t> children_of(pid_t parent);
std::set<pid_t> members_of(pid_t group);

/// What `ps` shows: the command line with blanks between its words.
std::string title_of(pid_t pid);

std::set<int> descriptors_of(pid_t pid);
/// The lowest number that a new descriptor of this process would get.
int lowest_free_descriptor(pid_t pid);
/// The process's descriptor of the socket that listens on this TCP port; -1 when it has none.
int listener_of(pid_t pid, std::uint16_t port);
/// Whether the process holds the socket that listens on this TCP port.
bool holds_listener(pid_t pid, std::uint16_t port);

/// How often the process gave up the processor by itself: an upper bound of its wake-ups.
long voluntary_switches(pid_t pid);

/// System V and POSIX shared memory, semaphores and queues of the machine.
std::set<std::string> ipc_objects();

/// Waits for the end of a process (a zombie has ended), whoever is its parent. False: still alive at the deadline.
bool wait_until_ended(pid_t pid, milliseconds within = patience);

/// For what the kernel tells nobody about: asks again every few milliseconds. False: still not so at the deadline.
bool eventually(const std::function<bool()>& condition, milliseconds within = patience);

}  // namespace support

#endif
