// reject: on_accept_ok must return void
#include <waiter/async.hpp>

struct server : waiter::basic_waiter<server, waiter::nofork, waiter::async<waiter::plain>> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  void on_accept_ok(client_type&) {}
#else
  boost::asio::awaitable<void> on_accept_ok(client_type&) { co_return; }
#endif
  boost::asio::awaitable<bool> on_process(client_type&) { co_return true; }
  boost::asio::awaitable<void> on_close(client_type&) { co_return; }
};

int main() { return server{{.port = 0}}.run(); }
