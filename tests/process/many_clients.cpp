#include <waiter/async.hpp>

#include "async_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <algorithm>
#include <csignal>
#include <map>
#include <string>
#include <vector>

using namespace process_test;

namespace {

template <class ForkPolicy>
using server = async_server<ForkPolicy, waiter::async<waiter::plain>>;

template <class ForkPolicy>
forked started(typename server<ForkPolicy>::options settings = {}) {
  settings.address = "127.0.0.1";
  return forked([settings](const teller& tell) { return server<ForkPolicy>(tell, settings).run(); });
}

std::vector<support::client> connected(std::uint16_t port, std::size_t count) {
  std::vector<support::client> clients;
  for (std::size_t i = 0; i < count; ++i) clients.emplace_back(port);
  return clients;
}

}  // namespace

TEMPLATE_TEST_CASE("many clients are served at the same time, and each hook runs once for each", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  auto one = started<TestType>();
  const auto port = one.port();
  auto clients = connected(port, 40);
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < clients.size(); ++i) CHECK(ask(clients[i], "hello " + std::to_string(i)) == "hello " + std::to_string(i));
  for (auto& client : clients) {
    client.send("quit\n");
    CHECK(client.read_all() == support::reply{"", support::outcome::end_of_stream});
  }
  one.signal(SIGTERM);
  CHECK(one.wait() == 0);
  CHECK(one.gone());
  CHECK(one.count("accepted ") == 40);
  CHECK(one.count("left process") == 40);
  CHECK(one.count("closes ") == 40);
  CHECK(one.count("server closed") == 1);
  CHECK(one.count("failed") == 0);
}

TEMPLATE_TEST_CASE("a client that says nothing is cut after io_timeout, and only that one", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  auto one = started<TestType>({.io_timeout = 400ms});
  const auto port = one.port();
  support::client silent(port), talks(port);
  const support::stopwatch watch;
  bool silent_over = false;
  while (!silent_over && watch.elapsed() < support::patience) {
    REQUIRE(ask(talks, "hello") == "hello");
    silent_over = silent.read_line(50ms).empty() && watch.elapsed() > 400ms && one.count("closes ") != 0;
  }
  CHECK(silent_over);
  CHECK(silent.read_all().how == support::outcome::end_of_stream);
  CHECK(ask(talks, "hello") == "hello");
  CHECK(one.wait_for("failed ").find("deadline") != std::string::npos);
}

TEST_CASE("a client's whole time ends what it waits for") {
  auto one = started<waiter::nofork>({.client_timeout = 300ms});
  support::client client(one.port());
  const support::stopwatch watch;
  std::size_t answers = 0;
  while (ask(client, "hello") == "hello") ++answers;
  CHECK(answers > 0);
  CHECK(watch.elapsed() >= 300ms);
  CHECK(one.wait_for("failed ").find("deadline") != std::string::npos);
}

TEMPLATE_TEST_CASE("at a stop a client is asked, may finish, and then its time is over; on_close runs in every case", "", waiter::nofork,
                   waiter::forking, waiter::prefork) {
  auto one = started<TestType>({.grace = 2000ms});
  const auto port = one.port();
  support::client polite(port), idle(port), elsewhere(port), spawns(port);
  REQUIRE(ask(polite, "until stop") == "waiting");
  REQUIRE(ask(idle, "hello") == "hello");
  REQUIRE(ask(spawns, "spawn") == "spawn");
  elsewhere.send("sleep\n");
  REQUIRE(ask(idle, "hello") == "hello");
  one.signal(SIGTERM);
  CHECK(polite.read_line() == "goodbye\n");
  CHECK(ask(idle, "still here") == "still here");
  CHECK(one.wait() == 0);
  CHECK(one.gone());
  CHECK(one.count("left process") == 4);
  CHECK(one.count("left spawned") == 1);
  CHECK(one.count("closes ") == 4);
}

TEST_CASE("who hurries is not kept waiting by clients of a loop") {
  auto one = started<waiter::nofork>({.grace = 60s});
  const auto port = one.port();
  support::client idle(port), elsewhere(port);
  REQUIRE(ask(idle, "hello") == "hello");
  elsewhere.send("sleep\n");
  REQUIRE(ask(idle, "hello") == "hello");
  one.signal(SIGTERM);
  one.signal(SIGQUIT);
  CHECK(one.wait(20s) == 0);
  CHECK(one.count("closes ") == 2);
}

TEST_CASE("what a client has spawned lives no longer than the client") {
  auto one = started<waiter::nofork>();
  support::client client(one.port());
  for (int i = 0; i < 3; ++i) REQUIRE(ask(client, "spawn") == "spawn");
  CHECK(one.count("left spawned") == 0);
  client.send("quit\n");
  client.read_all();
  one.wait_for("left process");
  for (int i = 0; i < 3; ++i) one.wait_for("left spawned");
  one.wait_for("closes ");
}

TEST_CASE("an exception ends its client and no other") {
  auto one = started<waiter::nofork>();
  const auto port = one.port();
  support::client throws(port), stays(port);
  REQUIRE(ask(stays, "hello") == "hello");
  throws.send("throw\n");
  CHECK(throws.read_all().how == support::outcome::end_of_stream);
  one.wait_for("failed");
  CHECK(ask(stays, "hello") == "hello");
}

TEST_CASE("a kid that takes no more clients leaves them to the others, and the pool grows when none takes any") {
  auto one = started<waiter::prefork>({.fork = {.prefork = 2, .maxfork = 3}, .transport = {.max_clients = 3}});
  const auto port = one.port();
  auto clients = connected(port, 9);
  std::map<std::string, int> served;
  for (auto& client : clients) ++served[ask(client, "pid")];
  CHECK(served.size() == 3);
  for (const auto& [kid, count] : served) CHECK(count == 3);
  CHECK(ask(clients[0], "counts") == "3 of 3");
  // One more waits until a place is free.
  support::client waits(port);
  waits.send("pid\n");
  CHECK(waits.read_line(300ms) == "");
  const auto kid = ask(clients[4], "pid");
  clients[4].send("quit\n");
  clients[4].read_all();
  CHECK(waits.read_line() == kid + "\n");
}

TEST_CASE("a kid with clients is busy, one without is idle") {
  auto one = started<waiter::prefork>({.fork = {.prefork = 3, .maxfork = 3}});
  const auto port = one.port();
  support::client first(port);
  CHECK(support::eventually([&] { return ask(first, "counts") == "1 of 3"; }));
  support::client second(port);
  CHECK(ask(second, "counts") == "2 of 3");
  CHECK(ask(first, "pid") != ask(second, "pid"));
  second.send("quit\n");
  second.read_all();
  CHECK(support::eventually([&] { return ask(first, "counts") == "1 of 3"; }));
}

TEST_CASE("long clients are shared out among the kids") {
  // How evenly, depends on who gets a processor while they come: beside other work one round may be off, but not five.
  int least = 0, most = 0;
  for (int round = 0; round < 5 && (least == 0 || most * 10 > least * 13); ++round) {
    auto one = started<waiter::prefork>({.fork = {.prefork = 4, .maxfork = 4}});
    const auto port = one.port();
    // All kids are there.
    std::map<std::string, int> served;
    std::vector<support::client> clients;
    while (served.size() < 4) ++served[ask(clients.emplace_back(port), "pid")];
    for (auto& client : connected(port, 400)) clients.push_back(std::move(client));
    served.clear();
    for (auto& client : clients) ++served[ask(client, "pid")];
    const auto [low, high] = std::minmax_element(served.begin(), served.end(), [](auto& a, auto& b) { return a.second < b.second; });
    least = low->second, most = high->second;
  }
  CAPTURE(least, most);
  CHECK(least > 0);
  CHECK(most * 10 <= least * 13);
}

TEST_CASE("on_process that says it was the last ends a preforked kid when its other clients are done") {
  auto one = started<waiter::prefork>({.grace = 2000ms, .fork = {.prefork = 1, .maxfork = 1}});
  const auto port = one.port();
  support::client stays(port), last(port);
  const auto kid = ask(stays, "pid");
  REQUIRE(ask(last, "pid") == kid);
  last.send("enough\n");
  CHECK(last.read_all().how == support::outcome::end_of_stream);
  CHECK(ask(stays, "hello") == "hello");
  stays.send("quit\n");
  CHECK(stays.read_all().how == support::outcome::end_of_stream);
  support::client next(port);
  CHECK(ask(next, "pid") != kid);
}

TEST_CASE("a wait for something else than the client ends at the stop, too, and on_close runs after it") {
  auto one = started<waiter::nofork>({.grace = 300ms, .linger = 0ms});
  const auto port = one.port();
  for (int i = 0; i < 20; ++i) support::client(port).send("sleep\n");
  for (int i = 0; i < 20; ++i) one.wait_for("accepted ");
  one.signal(SIGTERM);
  CHECK(one.wait() == 0);
  CHECK(one.count("left process") == 20);
  CHECK(one.count("closes ") == 20);
}

TEST_CASE("clients that come and go in the middle of everything leave nothing behind") {
  auto one = started<waiter::nofork>({.linger = 0ms});
  const auto port = one.port();
  const auto descriptors = [&] { return support::descriptors_of(one.pid()); };
  support::client stays(port);
  REQUIRE(ask(stays, "hello") == "hello");
  const auto before = descriptors();
  for (int i = 0; i < 300; ++i) {
    support::client client(port);
    if (i % 3 == 1) client.send("half a li");
    if (i % 3 == 2) client.send("spawn\n");
    if (i % 2 == 0) client.reset();
  }
  for (int i = 0; i < 300; ++i) one.wait_for("closes ");
  CHECK(one.count("left spawned") == 100);
  CHECK(support::eventually([&] { return descriptors() == before; }));
  CHECK(ask(stays, "hello") == "hello");
}
