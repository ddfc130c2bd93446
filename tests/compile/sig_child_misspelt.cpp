// reject: the handler has `on_sig_chld`, which is no hook: did you mean `on_sig_child`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_sig_child(pid_t, int) {}
#else
  void on_sig_chld(pid_t, int) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
