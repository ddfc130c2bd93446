// reject: a handler needs on_process
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
#ifdef WAITER_ACCEPT
  void on_process(client_type&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
