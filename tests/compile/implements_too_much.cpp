// reject: `implements` states on_close, which the handler does not have: write `void on_close(client_type&)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  using implements = waiter::hooks<waiter::hook::on_process, waiter::hook::on_close>;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_close(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
