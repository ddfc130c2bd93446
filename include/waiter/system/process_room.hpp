#ifndef WAITER_SYSTEM_PROCESS_ROOM_HPP
#define WAITER_SYSTEM_PROCESS_ROOM_HPP

#include <waiter/process/misfit.hpp>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>

namespace waiter::system {

/// What this process may have, and what of it is taken (getrlimit(2)). Where the system does not say, there is no limit.
inline room process_room() {
  room all;
  if (DIR* const open = ::opendir("/proc/self/fd")) {
    // Two entries are the folder and the one above it, and one is the descriptor that it is read through.
    std::int64_t entries = 0;
    while (::readdir(open) != nullptr) ++entries;
    ::closedir(open);
    all.open_descriptors = entries - 3;
  }
  const auto most = [](auto which) {
    rlimit limit{};
    return ::getrlimit(which, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? static_cast<std::int64_t>(limit.rlim_cur)
                                                                              : room::unlimited;
  };
  all.most_descriptors = most(RLIMIT_NOFILE);
  // Root has as many processes as it likes.
  if (::geteuid() != 0) all.most_processes = most(RLIMIT_NPROC);
  return all;
}

}  // namespace waiter::system

#endif
