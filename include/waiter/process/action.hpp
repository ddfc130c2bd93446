#ifndef WAITER_PROCESS_ACTION_HPP
#define WAITER_PROCESS_ACTION_HPP

#include <waiter/process/instant.hpp>

#include <sys/types.h>

#include <cstddef>

namespace waiter {

/// What the parent's loop does next. It does just that, reports what came of it, and asks again.
struct action {
  enum verb {
    fork,      ///< a kid for `slot`; the outcome is reported
    ask,       ///< SIGTERM for `pid`, once in its life: leave when your client is done
    kill,      ///< SIGKILL for `pid`, once in its life
    wait,      ///< for an event, but not beyond `until`
    finished,  ///< nothing is left to do
  } kind;
  std::size_t slot = 0;            ///< of fork, ask and kill
  pid_t pid = 0;                   ///< of ask and kill
  instant until = instant::max();  ///< of wait; `instant::max()` when only an event can change anything
};

}  // namespace waiter

#endif
