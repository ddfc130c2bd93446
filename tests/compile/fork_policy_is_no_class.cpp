// reject: the second parameter of basic_waiter is a fork policy
#include <waiter/waiter.hpp>

#ifdef WAITER_ACCEPT
using chosen = waiter::fork_policy_archetype;
#else
using chosen = int;
#endif

struct server : waiter::basic_waiter<server, chosen, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
