// reject: the handler has `on_upgrade_error`, which is no hook: did you mean `on_upgrade_failed`?
#include <waiter/waiter.hpp>

#include <string_view>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_upgrade_failed(std::string_view) {}
#else
  void on_upgrade_error(std::string_view) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
