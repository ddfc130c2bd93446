// reject: the first argument of basic_waiter must be the very class that derives from it, and publicly
#include <waiter/waiter.hpp>

#ifdef WAITER_ACCEPT
class server : public waiter::basic_waiter<server> {
#else
class server : waiter::basic_waiter<server> {
#endif
 public:
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
  int start() { return run(); }
};

int main() { return server{{.port = 0}}.start(); }
