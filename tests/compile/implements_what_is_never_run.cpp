// reject: the handler states what it `implements`, and may not have on_prefork_child_idle, which this fork policy never runs
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server, waiter::forking> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  using implements = waiter::hooks<waiter::hook::on_process, waiter::hook::on_forking_idle>;
  void on_forking_idle() {}
#else
  using implements = waiter::hooks<waiter::hook::on_process, waiter::hook::on_prefork_child_idle>;
  void on_prefork_child_idle() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
