// reject: on_close must return void, because the transport blocks
#include <waiter/async.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_close(client_type&) {}
#else
  boost::asio::awaitable<void> on_close(client_type&) { co_return; }
#endif
};

int main() { return server{{.port = 0}}.run(); }
