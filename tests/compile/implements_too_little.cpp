// reject: the handler has on_close, which its `implements` does not state: add waiter::hook::on_close
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  using implements = waiter::hooks<waiter::hook::on_process, waiter::hook::on_close>;
#else
  using implements = waiter::hooks<waiter::hook::on_process>;
#endif
  void on_process(client_type&) {}
  void on_close(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
