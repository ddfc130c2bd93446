// reject: a fork policy states the hooks it calls
#include <waiter/waiter.hpp>

struct policy : waiter::fork_policy_archetype {
#ifndef WAITER_ACCEPT
  using runs = void;
#endif
};

struct server : waiter::basic_waiter<server, policy, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
