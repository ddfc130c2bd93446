// reject: a fork policy serves until its host is to stop
#include <waiter/waiter.hpp>

struct policy : waiter::fork_policy_archetype {
#ifndef WAITER_ACCEPT
  void serve(int) {}
#endif
};

struct server : waiter::basic_waiter<server, policy, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
