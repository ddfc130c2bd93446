#ifndef WAITER_UPGRADE_HPP
#define WAITER_UPGRADE_HPP

// What upgrade() needs, which brings in Boost.Process. Since Boost 1.86 that has a library of its own: `waiter-upgrade` brings it along.
#include <waiter/options.hpp>
#include <waiter/system/own_program.hpp>
#include <waiter/system/program_start.hpp>
#include <waiter/system/start_program.hpp>

#include <sys/types.h>

namespace waiter {

/// Starts the program that takes a server's place, by Boost.Process.
struct program_starter {
  /// What this process was started with, read before main().
  static inline const system::own_program own = system::read_own_program();

  static system::program_start program(const upgrade_options& asked) {
    system::program_start what{.program = asked.program.empty() ? own.file : asked.program};
    what.arguments.push_back(asked.program.empty() && !own.arguments.empty() ? own.arguments.front() : what.program);
    if (asked.arguments)
      what.arguments.insert(what.arguments.end(), asked.arguments->begin(), asked.arguments->end());
    else if (!own.arguments.empty())
      what.arguments.insert(what.arguments.end(), own.arguments.begin() + 1, own.arguments.end());
    return what;
  }

  static pid_t start(const system::program_start& what, error_code& error) noexcept { return system::start_program(what, error); }
};

}  // namespace waiter

#endif
