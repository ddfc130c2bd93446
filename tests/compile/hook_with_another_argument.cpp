// reject: on_close must be callable as `void on_close(client_type&)`; is it public, or is waiter::hook_access a friend?
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_close(client_type&) {}
#else
  void on_close(int) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
