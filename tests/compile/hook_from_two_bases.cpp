// reject: on_server_close must be callable as `void on_server_close()`
#include <waiter/waiter.hpp>

struct counts {
  void on_server_close() {}
};
struct reports {
  void on_server_close() {}
};

struct server : waiter::basic_waiter<server>, counts, reports {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_server_close() {
    counts::on_server_close();
    reports::on_server_close();
  }
#endif
};

int main() { return server{{.port = 0}}.run(); }
