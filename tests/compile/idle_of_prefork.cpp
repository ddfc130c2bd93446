// reject: nothing calls the handler's `on_idle`: did you mean `on_prefork_child_idle`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server, waiter::prefork> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_prefork_child_idle() {}
#else
  void on_idle() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
