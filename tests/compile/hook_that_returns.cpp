// reject: on_close must return void
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_close(client_type&) {}
#else
  int on_close(client_type&) { return 0; }
#endif
};

int main() { return server{{.port = 0}}.run(); }
