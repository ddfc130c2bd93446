// reject: on_sig_child must be callable as `void on_sig_child(pid_t pid, int status)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_sig_child(pid_t) {}
#else
  void on_sig_child() {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
