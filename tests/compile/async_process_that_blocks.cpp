// reject: on_process must return boost::asio::awaitable<void or bool>, because the transport is an async one
#include <waiter/async.hpp>

struct server : waiter::basic_waiter<server, waiter::prefork, waiter::async<waiter::plain>> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  boost::asio::awaitable<void> on_process(client_type&) { co_return; }
#else
  void on_process(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
