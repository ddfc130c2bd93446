// reject: on_accept_ok must be callable as `void on_accept_ok(client_type&)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_accept_ok(client_type&) {}
#else
  void on_accept_ok() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
