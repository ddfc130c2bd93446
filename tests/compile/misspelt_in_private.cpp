// reject: the handler has `on_closed`, which is no hook: did you mean `on_close`?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
 private:
  friend waiter::hook_access;
  void on_close(client_type&) {}
#else
 private:
  void on_closed(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
