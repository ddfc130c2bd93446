#ifndef WAITER_SERVER_SAY_CLOSE_HPP
#define WAITER_SERVER_SAY_CLOSE_HPP

#include <waiter/contract/transport_policy.hpp>
#include <waiter/hook.hpp>

namespace waiter {

/// on_close, and the transport's own last words. They may go through user code (a logger, a stream's buffer), so they may throw.
template <class Host, class Transport>
void say_close(Host& host, Transport& transport, typename Host::client_type& client) noexcept {
  if constexpr (contract::is_asynchronous<Transport>) {
    transport.say_close(host, client);
  } else {
    host.template call<hook::on_close>(client);
    try {
      transport.finish(client);
    } catch (...) {
      host.hooks().caught(hook::on_close);
    }
  }
}

}  // namespace waiter

#endif
