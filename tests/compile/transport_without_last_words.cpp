// reject: a transport says its last words before the socket is closed
#include <waiter/waiter.hpp>

struct policy : waiter::plain {
#ifndef WAITER_ACCEPT
  void finish(int) {}
#endif
};

struct server : waiter::basic_waiter<server, waiter::nofork, policy> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
