// reject: the handler has `on_child_sigusr1`, which is no hook: did you mean `on_child_sig_usr1`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_child_sig_usr1() {}
#else
  void on_child_sigusr1() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
