// reject: the handler has `on_max_forked`, which is no hook: did you mean `on_maxforked`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_maxforked(client_type&) {}
#else
  void on_max_forked(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
