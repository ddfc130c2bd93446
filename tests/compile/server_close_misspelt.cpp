// reject: the handler has `on_server_stop`, which is no hook: did you mean `on_server_close`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_server_close() {}
#else
  void on_server_stop() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
