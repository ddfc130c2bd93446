#ifndef WAITER_SYSTEM_LONGEST_BACKLOG_HPP
#define WAITER_SYSTEM_LONGEST_BACKLOG_HPP

#include <sys/socket.h>

#include <fstream>

namespace waiter::system {

/// The longest queue of connections that the system allows a listening socket; `fallback` where it does not say.
inline int longest_backlog(int fallback = SOMAXCONN) {
  int allowed = 0;
  return std::ifstream("/proc/sys/net/core/somaxconn") >> allowed && allowed > 0 ? allowed : fallback;
}

}  // namespace waiter::system

#endif
