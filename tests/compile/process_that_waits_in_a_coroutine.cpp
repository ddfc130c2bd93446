// reject: on_process must return void or bool, because the transport blocks
#include <waiter/async.hpp>

#ifdef WAITER_ACCEPT
using carrier = waiter::async<waiter::plain>;
#else
using carrier = waiter::plain;
#endif

struct server : waiter::basic_waiter<server, waiter::prefork, carrier> {
  using basic_waiter::basic_waiter;
  boost::asio::awaitable<void> on_process(client_type&) { co_return; }
};

int main() { return server{{.port = 0}}.run(); }
