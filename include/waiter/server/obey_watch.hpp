#ifndef WAITER_SERVER_OBEY_WATCH_HPP
#define WAITER_SERVER_OBEY_WATCH_HPP

#include <waiter/hook.hpp>
#include <waiter/process/kid_watch.hpp>
#include <waiter/system/signal_mailbox.hpp>

#include <csignal>

namespace waiter {

/// Does what the watch over the kids says, and logs it.
template <class Host>
void obey_watch(Host& host, const kid_watch::order& order) noexcept {
  switch (order.kind) {
    case kid_watch::order::remind:
      host.log("kid ", order.pid, " has had its client for longer than soft_limit");
      // To a kid that does not listen the signal would be its death.
      if (Host::template has<hook::on_child_overtime>) ::kill(order.pid, system::overtime_signal());
      break;
    case kid_watch::order::kill_late:
      host.log("kid ", order.pid, " has had its client for longer than hard_limit, and is killed");
      ::kill(order.pid, SIGKILL);
      break;
    case kid_watch::order::kill_leaving:
      host.log("kid ", order.pid, " was asked to leave, stays for longer than drain_limit, and is killed");
      ::kill(order.pid, SIGKILL);
      break;
    case kid_watch::order::kill_stopped:
      host.log("kid ", order.pid, " was stopped by a signal and does not continue, and is killed");
      ::kill(order.pid, SIGKILL);
      break;
  }
}

}  // namespace waiter

#endif
