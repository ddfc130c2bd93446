// reject: nothing calls the handler's `on_connect`: did you mean `on_accept_ok`? If it is your own, state what the handler `implements`.
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  using implements = waiter::hooks<waiter::hook::on_process>;
#endif
  void on_process(client_type& client) { on_connect(client); }
  void on_connect(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
