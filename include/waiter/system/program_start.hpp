#ifndef WAITER_SYSTEM_PROGRAM_START_HPP
#define WAITER_SYSTEM_PROGRAM_START_HPP

#include <functional>
#include <string>
#include <vector>

namespace waiter::system {

/// How a program is to be started.
struct program_start {
  std::string program{};                 ///< its file; PATH is not searched
  std::vector<std::string> arguments{};  ///< its own name first
  std::vector<std::string> variables{};  ///< NAME=VALUE, on top of the environment of this process
  std::vector<int> descriptors{};        ///< what it gets, under the same numbers, besides standard input, output and error
  std::function<void()> in_new_process{};  ///< called there before the program begins; async-signal-safe, as after any fork
};

}  // namespace waiter::system

#endif
