// reject: on_server_begin must be callable as `void on_server_begin()`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_server_begin() {}
#else
  void on_server_begin() = delete;
#endif
};

int main() { return server{{.port = 0}}.run(); }
