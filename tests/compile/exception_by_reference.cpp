// reject: on_exception must be callable as `void on_exception(std::exception_ptr)`
#include <waiter/waiter.hpp>

struct server : waiter::basic_waiter<server> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
#ifdef WAITER_ACCEPT
  void on_exception(std::exception_ptr) {}
#else
  void on_exception(const std::exception&) {}
#endif
};

int main() { return server{{.port = 0}}.run(); }
