#ifndef WAITER_SYSTEM_OWN_PROGRAM_HPP
#define WAITER_SYSTEM_OWN_PROGRAM_HPP

#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <vector>

namespace waiter::system {

/// How this process was started.
struct own_program {
  std::string file{};                    ///< where its program stands; empty where the system does not tell
  std::vector<std::string> arguments{};  ///< the name it was called by, and what stood behind it
};

/// Reads /proc/self/exe and /proc/self/cmdline (proc(5)). To be asked before the file is replaced, and before the process changes its
/// title: afterwards the kernel tells of a file that is deleted.
inline own_program read_own_program() {
  own_program own;
  std::array<char, 4096> path;
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size > 0 && static_cast<std::size_t>(size) < path.size()) own.file.assign(path.data(), static_cast<std::size_t>(size));
  std::ifstream file("/proc/self/cmdline");
  for (std::string argument; std::getline(file, argument, '\0');) own.arguments.push_back(argument);
  return own;
}

}  // namespace waiter::system

#endif
