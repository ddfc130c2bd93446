// reject: the handler states what it `implements`, and may not have on_maxforked, which this fork policy never runs
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server, waiter::prefork> {
  using basic_waiter::basic_waiter;
#ifndef WAITER_ACCEPT
  using implements = waiter::hooks<waiter::hook::on_process>;
#endif
  void on_process(client_type&) {}
  void on_maxforked(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
