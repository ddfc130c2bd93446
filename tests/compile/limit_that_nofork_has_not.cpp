// reject: waiter: hard_limit is set, but this fork policy has no such option. See docs/options.md
#include <waiter/waiter.hpp>

using namespace std::chrono_literals;

struct server : waiter::basic_waiter<server, waiter::nofork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

#ifdef WAITER_ACCEPT
constexpr waiter::limits ours{.grace = 1s};
#else
constexpr waiter::limits ours{.hard_limit = 1s};
#endif

int main() { return server{waiter::within<ours>(server::options{.port = 7000, .address = "::1"})}.run(); }
