#ifndef WAITER_PROCESS_ACCEPT_FAILURE_HPP
#define WAITER_PROCESS_ACCEPT_FAILURE_HPP

#include <cerrno>

namespace waiter {

/// What to do after accept(2) has failed.
enum class accept_advice {
  again,    ///< it was that one connection's fault
  pause,    ///< something has run out: the connection is still waiting, so trying again at once would spin
  mend,     ///< the socket does not listen any more: who owns it can make it listen again
  give_up,  ///< the listening socket cannot be used
};

/// The advice for an `errno` of accept(2), whose page lists the network errors that a new connection may bring along.
constexpr accept_advice after_accept_failed(int reason) {
  switch (reason) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
    case EPERM:
      return accept_advice::again;
    case EINVAL:
      return accept_advice::mend;
    case EBADF:
    case EFAULT:
    case ENOTSOCK:
    case EOPNOTSUPP:
      return accept_advice::give_up;
    default:
      return accept_advice::pause;
  }
}

}  // namespace waiter

#endif
