// reject: on_ssl_error must be callable as `void on_ssl_error(std::string_view)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_ssl_error(std::string_view) {}
#else
  void on_ssl_error(const std::string&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
