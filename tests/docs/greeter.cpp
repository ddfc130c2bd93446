// The server that docs/from_net_waiter.md has in Perl.
#include <waiter/waiter.hpp>

using namespace std::chrono_literals;

struct greeter : waiter::basic_waiter<greeter, waiter::forking, waiter::plain> {
  using basic_waiter::basic_waiter;

  void on_maxforked(client_type& client) {
    client.write("please come back later\n");
  }

  void on_process(client_type& client) {
    const auto name = client.read_line();
    if (name) client.write("hello " + *name + "\n");
  }
};

int main() {
  greeter server{{.port = 9123, .timeout = 10s, .fork = {.maxfork = 16}}};
  return server.run();
}
