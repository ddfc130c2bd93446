#ifndef WAITER_SERVER_RELOAD_TRANSPORT_HPP
#define WAITER_SERVER_RELOAD_TRANSPORT_HPP

#include <waiter/contract/transport_policy.hpp>
#include <waiter/hook.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace waiter {

/// The transport reads its files anew, if it has any. When that fails it goes on with what it has, and on_ssl_error hears of it.
template <class Host, class Transport>
void reload_transport(Host& host, Transport& transport) noexcept {
  if constexpr (contract::reloading_transport<Transport>) {
    try {
      const std::optional<std::string> wrong = transport.reload(host.settings().transport);
      if (!wrong) return;
      host.log("reload: what the transport has read before stays in use: ", *wrong);
      host.template call<hook::on_ssl_error>(std::string_view(*wrong));
    } catch (...) {
      host.hooks().caught(hook::on_reload);
    }
  }
}

}  // namespace waiter

#endif
