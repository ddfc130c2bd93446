// reject: a transport that has `reload` reads its files anew there
#include <waiter/waiter.hpp>

struct policy : waiter::plain {
#ifdef WAITER_ACCEPT
  std::optional<std::string> reload(const options&) { return std::nullopt; }
#else
  void reload(const options&) {}
#endif
};

struct server : waiter::basic_waiter<server, waiter::nofork, policy> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
