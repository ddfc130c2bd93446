#ifndef WAITER_SYSTEM_PROCESS_ROOM_HPP
#define WAITER_SYSTEM_PROCESS_ROOM_HPP

#include <waiter/process/misfit.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace waiter::system {

/// What this process may have, and what of it is taken (getrlimit(2)). Where the system does not say, there is no limit.
inline room process_room() {
  room all;
  std::error_code unknown;
  std::filesystem::directory_iterator open("/proc/self/fd", unknown);
  // Being looked at, the folder itself is one of them.
  if (!unknown) all.open_descriptors = std::distance(std::filesystem::begin(open), std::filesystem::end(open)) - 1;
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
