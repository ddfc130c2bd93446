/// The least server that somebody else would write; it ends itself, so that a test can wait for it.
#include <waiter/waiter.hpp>

#ifdef OPENSSL_VERSION_MAJOR
#error "a plain server includes OpenSSL"
#endif

struct server : waiter::basic_waiter<server, waiter::nofork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_listen_ok() { break_main_loop(); }
  void on_process(client_type& client) { client.write("hello world\n"); }
};

int main() { return server{{.address = "127.0.0.1"}}.run(); }
