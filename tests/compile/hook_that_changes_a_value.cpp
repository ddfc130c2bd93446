// reject: on_accept_error must be callable as `void on_accept_error(error_code)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_accept_error(const waiter::error_code&) {}
#else
  void on_accept_error(waiter::error_code&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
