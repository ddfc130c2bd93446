// reject: on_close must be callable as `void on_close(client_type&)`
// reject: the handler has `on_accept`, which is no hook: did you mean `on_accept_ok`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_close(client_type&) {}
  void on_accept_ok(client_type&) {}
#else
  void on_close() {}
  void on_accept(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
