// reject: a fork policy has options that may all be left out
#include <waiter/waiter.hpp>

struct policy : waiter::fork_policy_archetype {
#ifndef WAITER_ACCEPT
  struct options {
    explicit options(int) {}
  };
  std::optional<std::string> prepare(const options&) { return std::nullopt; }
#endif
};

struct server : waiter::basic_waiter<server, policy, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type&) {}
};

int main() { return server{{.port = 0}}.run(); }
