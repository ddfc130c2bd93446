// reject: the first argument of basic_waiter must be the very class that derives from it
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server, waiter::prefork> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

#ifdef WAITER_ACCEPT
struct copied : waiter::basic_waiter<copied, waiter::forking> {
#else
struct copied : waiter::basic_waiter<server, waiter::forking> {
#endif
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return copied{{.port = 0}}.run(); }
