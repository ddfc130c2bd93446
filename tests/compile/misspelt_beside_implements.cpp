// reject: the handler has `on_listen`, which is no hook: did you mean `on_listen_ok`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  using implements = waiter::hooks<waiter::hook::on_process>;
  void on_process(client_type&) {}
#ifndef WAITER_ACCEPT
  void on_listen() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
