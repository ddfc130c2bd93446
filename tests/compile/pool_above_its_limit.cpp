// reject: waiter: prefork <= maxfork does not hold. See docs/options.md
#include <waiter/waiter.hpp>

using namespace std::chrono_literals;

struct server : waiter::basic_waiter<server, waiter::prefork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

#ifdef WAITER_ACCEPT
constexpr waiter::limits ours{.prefork = 3, .maxfork = 9};
#else
constexpr waiter::limits ours{.prefork = 9, .maxfork = 3};
#endif

int main() { return server{waiter::within<ours>(server::options{.port = 7000, .address = "::1"})}.run(); }
