/// The same over TLS. Its certificate does not exist, which `run()` says with its exit code.
#include <waiter/ssl.hpp>

struct server : waiter::basic_waiter<server, waiter::nofork, waiter::ssl> {
  using basic_waiter::basic_waiter;
  void on_process(client_type& client) { client.write("hello world\n"); }
};

int main() {
  server tls{{.address = "127.0.0.1", .transport = {.cert_file = "nowhere.crt", .key_file = "nowhere.key"}}};
  return tls.run() == waiter::exit_not_listening ? 0 : 1;
}
