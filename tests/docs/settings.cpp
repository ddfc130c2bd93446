// What docs/options.md shows: the options of one composition.
#include <waiter/ssl.hpp>

#include <chrono>

using namespace std::chrono_literals;

struct shop : waiter::basic_waiter<shop, waiter::prefork, waiter::ssl> {
  using basic_waiter::basic_waiter;
  void on_process(client_type& client) { client.write("we are open\n"); }
};

constexpr waiter::limits shop_limits{
    .handshake_timeout = 5s, .client_timeout = 30s, .soft_limit = 45s, .hard_limit = 60s, .grace = 90s, .prefork = 8, .maxfork = 64};

int main() {
  shop server{{
      .port = 9443,
      .address = "::",
      .client_timeout = 5min,
      .fork = {.prefork = 8, .maxfork = 64},
      .transport = {.cert_file = "/etc/shop/chain.pem", .key_file = "/etc/shop/key.pem"},
  }};
  shop proved{waiter::within<shop_limits>(shop::options{.port = 9443, .transport = {.cert_file = "/etc/shop/chain.pem"}})};
  return server.run() + proved.run() - waiter::exit_not_listening == waiter::exit_not_listening ? 0 : 1;
}
