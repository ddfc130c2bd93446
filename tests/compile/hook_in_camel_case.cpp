// reject: the handler has `onChildStart`, which is no hook: did you mean `on_child_start`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_child_start() {}
#else
  void onChildStart() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
