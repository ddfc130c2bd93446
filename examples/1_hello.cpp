#include <waiter/waiter.hpp>

struct hello : waiter::basic_waiter<hello, waiter::prefork, waiter::plain> {
  using basic_waiter::basic_waiter;

  void on_accept_ok(client_type& client) { log("client connected from ", client.peer()); }
  void on_process(client_type& client) { client.write("hello world\n"); }
};

int main() {
  hello server{{.port = 9123, .fork = {.prefork = 8, .maxfork = 32}}};
  return server.run();  // 0 is ok, >0 is an error
}
