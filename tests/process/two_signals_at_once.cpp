#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <csignal>
#include <sstream>
#include <string>

using namespace process_test;

namespace {

/// Tells of each signal hook that ran, and where.
template <class ForkPolicy>
struct counting_server : waiter::basic_waiter<counting_server<ForkPolicy>, ForkPolicy> {
  using base = waiter::basic_waiter<counting_server, ForkPolicy>;
  counting_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() { tell("port ", this->get_port()); }
  void on_process(typename base::client_type& client) {
    client.write(std::to_string(::getpid()) + "\n");
    client.read_line();
    client.write("done\n");
  }
  void on_sig_hup() { tell("hook hup"); }
  void on_sig_usr1() { tell("hook usr1"); }
  void on_sig_usr2() { tell("hook usr2"); }
  const teller& tell;
};

struct pool_server : waiter::basic_waiter<pool_server, waiter::prefork> {
  pool_server(const teller& how, options settings) : basic_waiter(settings), tell(how) {}

  void on_listen_ok() { tell("port ", get_port()); }
  void on_child_start() { tell("kid ", ::getpid()); }
  void on_process(client_type& client) {
    client.write("held\n");
    client.read_line();
    client.write("done\n");
  }
  void on_child_sig_hup() { tell("hook hup"); }
  void on_child_sig_usr1() { tell("hook usr1"); }
  void on_child_sig_usr2() { tell("hook usr2"); }
  const teller& tell;
};

/// Gets a signal in the listening process between the accept of a client and the fork of its kid, which waits for that client.
struct signalled_server : waiter::basic_waiter<signalled_server, waiter::forking> {
  signalled_server(const teller& how, options settings) : basic_waiter(settings), tell(how) {}

  void on_listen_ok() { tell("port ", get_port()); }
  void on_accept_ok(client_type&) { ::raise(SIGUSR1), ::raise(SIGHUP); }
  void on_process(client_type& client) {
    client.read_line();
    client.write("done\n");
  }
  void on_sig_hup() { tell("parent hup"); }
  void on_sig_usr1() { tell("parent usr1"); }
  void on_child_sig_hup() { tell("kid hup"); }
  void on_child_sig_usr1() { tell("kid usr1"); }
  const teller& tell;
};

/// All arrive at once, when the process goes on.
void send_at_once(pid_t pid, std::initializer_list<int> signals) {
  ::kill(pid, SIGSTOP);
  REQUIRE(support::eventually([pid] { return support::look_at(pid)->state == 'T'; }));
  for (const int signal : signals) ::kill(pid, signal);
  ::kill(pid, SIGCONT);
}

/// Forks a server, lets `disturb` happen to it at some instant of its start, and sends SIGTERM.
template <class Policy>
void stop_at_any_instant(unsigned seed) {
  forked server([](const teller& tell) { return echo_server<Policy>(tell, {.address = "127.0.0.1", .grace = 5000ms}).run(); });
  const auto port = server.port();
  unsigned spin = (seed * 1103515245u + 12345u) >> 16;
  for (volatile unsigned left = spin % 60000; left != 0;) left = left - 1;
  support::client client(port);
  if (seed % 2 == 0) client.send("hello\n");
  for (volatile unsigned left = spin % 7000; left != 0;) left = left - 1;
  server.signal(seed % 3 == 0 ? SIGINT : SIGTERM);
  if (seed % 2 != 0) client.close();
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

}  // namespace

TEMPLATE_TEST_CASE("signals that come at once are all obeyed, and a stop among them too", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  forked server([](const teller& tell) { return counting_server<TestType>(tell, {.address = "127.0.0.1"}).run(); });
  server.port();
  send_at_once(server.pid(), {SIGUSR1, SIGHUP, SIGUSR2});
  for (const auto* hook : {"hook usr1", "hook hup", "hook usr2"}) CHECK(server.seek(hook, support::patience));
  send_at_once(server.pid(), {SIGUSR1, SIGTERM, SIGHUP, SIGINT});
  CHECK(server.wait() == 0);
  CHECK(server.gone());
  CHECK(server.count("hook usr1") == 1);
  CHECK(server.count("hook hup") == 1);
}

TEMPLATE_TEST_CASE("signals in the middle of a client cost it nothing", "", waiter::nofork, waiter::forking, waiter::prefork) {
  forked server([](const teller& tell) { return counting_server<TestType>(tell, {.address = "127.0.0.1"}).run(); });
  support::client client(server.port());
  const auto served_by = static_cast<pid_t>(std::stol(client.read_line()));
  CHECK((served_by == server.pid()) == std::is_same_v<TestType, waiter::nofork>);
  send_at_once(server.pid(), {SIGHUP, SIGTERM});
  CHECK(server.seek("hook hup", support::patience));
  CHECK(client.ask("\n") == support::answer("done\n"));
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEST_CASE("what the parent was sent before a fork is the parent's alone") {
  forked server([](const teller& tell) { return signalled_server(tell, {.address = "127.0.0.1"}).run(); });
  support::client client(server.port());
  for (const auto* hook : {"parent usr1", "parent hup"}) CHECK(server.seek(hook, support::patience));
  CHECK(client.ask("\n") == support::answer("done\n"));
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
  CHECK(server.count("kid ") == 0);
}

TEST_CASE("a kid obeys signals that come at once, in a wait for its client or for the next one") {
  const bool with_client = GENERATE(true, false);
  forked server(
      [](const teller& tell) { return pool_server(tell, {.address = "127.0.0.1", .fork = {.prefork = 1, .maxfork = 1}}).run(); });
  const auto port = server.port();
  const auto kid = static_cast<pid_t>(server.number("kid "));
  std::optional<support::client> client;
  if (with_client) {
    client.emplace(port);
    REQUIRE(client->read_line() == "held\n");
  }
  send_at_once(kid, {SIGUSR1, SIGHUP, SIGUSR2});
  for (const auto* hook : {"hook usr1", "hook hup", "hook usr2"}) CHECK(server.seek(hook, support::patience));
  if (client) CHECK(client->ask("\n") == support::answer("done\n"));
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEMPLATE_TEST_CASE("a stop is never lost, at whatever instant it comes", "", waiter::nofork, waiter::forking, waiter::prefork) {
  for (unsigned seed = 0; seed < 60; ++seed) stop_at_any_instant<TestType>(seed);
}
