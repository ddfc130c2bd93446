// reject: the first argument of basic_waiter must be the very class that derives from it
#include <waiter/waiter.hpp>

#ifdef WAITER_ACCEPT
struct server : waiter::basic_waiter<server> {
#else
struct server : waiter::basic_waiter<struct sever> {
#endif
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
