// reject: waiter: 0 < client_timeout does not hold. See docs/options.md
#include <waiter/waiter.hpp>

using namespace std::chrono_literals;

struct server : waiter::basic_waiter<server, waiter::prefork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

#ifdef WAITER_ACCEPT
constexpr waiter::limits ours{.client_timeout = 1s};
#else
constexpr waiter::limits ours{.client_timeout = 0s};
#endif

int main() { return server{waiter::within<ours>(server::options{.port = 7000, .address = "::1"})}.run(); }
