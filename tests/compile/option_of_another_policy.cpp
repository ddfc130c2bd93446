// reject-any:
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server, waiter::forking> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

#ifdef WAITER_ACCEPT
int main() { return server{{.port = 0, .fork = {.maxfork = 8}}}.run(); }
#else
int main() { return server{{.port = 0, .fork = {.prefork = 8}}}.run(); }
#endif
