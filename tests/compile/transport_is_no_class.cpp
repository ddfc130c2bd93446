// reject: the third parameter of basic_waiter is a transport
#include <waiter/waiter.hpp>

#ifdef WAITER_ACCEPT
using chosen = waiter::plain;
#else
using chosen = int;
#endif

struct server : waiter::basic_waiter<server, waiter::nofork, chosen> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
