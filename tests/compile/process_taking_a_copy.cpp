// reject: on_process must be callable as `void or bool on_process(client_type&)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  void on_process(const client_type&) {}
#else
  void on_process(client_type) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
