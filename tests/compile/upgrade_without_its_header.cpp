// reject: upgrade() starts programs by Boost.Process, which <waiter/waiter.hpp> does not bring in: include <waiter/upgrade.hpp>
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifndef WAITER_ACCEPT
  void on_sig_usr2() { upgrade(); }
#endif
};

int main() { return server{{.port = 0}}.run(); }
