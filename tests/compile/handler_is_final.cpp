// reject: a handler must not be `final`
#include <waiter/waiter.hpp>

#ifdef WAITER_ACCEPT
struct server : waiter::basic_waiter<server> {
#else
struct server final : waiter::basic_waiter<server> {
#endif
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
