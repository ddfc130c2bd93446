// reject: the handler has on_process, which its `implements` does not state
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  using implements = waiter::hooks<waiter::hook::on_process>;
#else
  using implements = waiter::hooks<>;
#endif
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
