// reject: a transport says whether it hides the bytes
#include <waiter/waiter.hpp>

struct policy : waiter::plain {
#ifndef WAITER_ACCEPT
  struct secret {};
  static constexpr secret encrypted{};
#endif
};

struct server : waiter::basic_waiter<server, waiter::nofork, policy> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
