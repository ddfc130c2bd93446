// accept: names that begin like a hook, and are the handler's own business
#include <waiter/waiter.hpp>

#include <string>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type& client) {
    on_connect("example.org", client);
    on_request(client);
    on_error(1);
    on_line("hello");
  }
  void on_connect(const std::string&, client_type&) {}
  void on_request(client_type&) {}
  void on_error(int) {}
  void on_line(const std::string&) {}
  bool on_duty = true;
};

int main() { return server{{.port = 0}}.run(); }
