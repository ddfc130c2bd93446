// The server of docs/operations.md that is replaced while it serves.
#include <waiter/upgrade.hpp>
#include <waiter/waiter.hpp>

#include <string_view>

struct shop : waiter::basic_waiter<shop, waiter::prefork> {
  using basic_waiter::basic_waiter;

  void on_process(client_type& client) { client.write("hello world\n"); }
  void on_sig_usr2() { upgrade(); }
  void on_upgrade_failed(std::string_view reason) { log("the old version serves on: ", reason); }
};

int main() {
  shop server{{.port = 9123}};
  return server.run();
}
