// reject: the handler has `on_reloaded`, which is no hook: did you mean `on_reload`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
  void on_sig_hup() { reload(); }
#ifdef WAITER_ACCEPT
  void on_reload() {}
#else
  void on_reloaded() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
