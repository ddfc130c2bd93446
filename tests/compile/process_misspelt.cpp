// reject: the handler has `onProcess`, which is no hook: did you mean `on_process`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  void on_process(client_type&) {}
#else
  void onProcess(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
