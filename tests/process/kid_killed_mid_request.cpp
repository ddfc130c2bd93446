#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace process_test;

namespace {

template <class Policy>
int run(const teller& tell) {
  typename Policy::options kids{};
  if constexpr (std::is_same_v<Policy, waiter::prefork>) kids = {.prefork = 4, .maxfork = 8};
  return echo_server<Policy>(tell, {.address = "127.0.0.1", .fork = kids}).run();
}

}  // namespace

TEMPLATE_TEST_CASE("a kid that is killed costs exactly its client", "", waiter::forking, waiter::prefork) {
  forked server(run<TestType>);
  const auto port = server.port();
  std::vector<std::unique_ptr<holding>> clients;
  std::set<pid_t> kids;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<holding>(port));
    REQUIRE(clients.back()->held);
  }
  const int signal = GENERATE(SIGKILL, SIGSEGV);
  // The first answers who serves it and is done; another one holds on.
  const pid_t killed = [&] {
    for (const pid_t kid : support::children_of(server.pid())) kids.insert(kid);
    return *kids.begin();
  }();
  ::kill(killed, signal);
  CHECK(server.wait_for("ended " + std::to_string(killed) + " ") == std::to_string(signal));
  int lost = 0;
  for (const auto& client : clients) lost += !client->answered();
  CHECK(lost <= 1);
  if (std::is_same_v<TestType, waiter::forking>) CHECK(lost == 1);
  CHECK(ask(port, "next") == "next\n");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEMPLATE_TEST_CASE("kids that kill themselves, one after another, do not stop the server", "", waiter::forking, waiter::prefork) {
  forked server(run<TestType>);
  const auto port = server.port();
  holding bystander(port);
  REQUIRE(bystander.held);
  for (int i = 0; i < 20; ++i) {
    CHECK(ask(port, "crash").empty());
    CHECK(ask(port, "hello") == "hello\n");
  }
  CHECK(bystander.answered());
  for (int i = 0; i < 20; ++i) {
    bool killed = false;
    while (!killed) killed = server.wait_for("ended ").ends_with(" 9");
  }
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}
