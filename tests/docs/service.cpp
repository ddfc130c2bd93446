// A server as docs/deploy.md has it installed.
#include <waiter/system/passed_sockets.hpp>
#include <waiter/waiter.hpp>

#include <string>
#include <string_view>
#include <vector>

struct hello : waiter::basic_waiter<hello, waiter::prefork> {
  using basic_waiter::basic_waiter;
  void on_process(client_type& client) { client.write("hello world\n"); }
  void on_sig_hup() { reload(); }
};

int main(int argc, char** argv) {
  const bool one_client = argc > 1 && std::string_view(argv[1]) == "--one-client";
  const bool activated = !waiter::system::passed_to_this_process().all.empty();
  const auto places = activated ? std::vector<std::string>{"inherited"} : std::vector<std::string>{"0.0.0.0:9123", "unix:/run/hello/sock"};
  hello server{{.listen = places, .unix_mode = 0666}};
  return one_client ? server.run_for() : server.run();
}
