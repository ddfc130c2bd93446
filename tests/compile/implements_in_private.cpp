// reject: `implements` must be public and a set of hooks
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
 private:
  friend waiter::hook_access;
  using implements = waiter::hooks<waiter::hook::on_process>;
#else
 private:
  using implements = waiter::hooks<waiter::hook::on_process>;
#endif
};

int main() { return server{{.port = 0}}.run(); }
