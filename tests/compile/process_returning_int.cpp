// reject: on_process must return void or bool
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  bool on_process(client_type&) { return true; }
#else
  int on_process(client_type&) { return 0; }
#endif
};

int main() { return server{{.port = 0}}.run(); }
