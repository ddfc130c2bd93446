// reject: a transport begins to talk in the process that serves
#include <waiter/waiter.hpp>

struct policy : waiter::plain {
#ifndef WAITER_ACCEPT
  bool handshake(client_type&) { return true; }
#endif
};

struct server : waiter::basic_waiter<server, waiter::nofork, policy> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
