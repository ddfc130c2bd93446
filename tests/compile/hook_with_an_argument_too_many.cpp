// reject: on_listen_ok must be callable as `void on_listen_ok()`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_listen_ok() {}
#else
  void on_listen_ok(int) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
