#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace process_test;

namespace {

/// A user who has no other process, so that a limit of processes is met by ours alone; root has no such limit.
void become_somebody() {
  if (::geteuid() == 0 && (::setgid(54321) != 0 || ::setuid(54321) != 0)) throw std::runtime_error("setuid");
}

void limit_processes(rlim_t most) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NPROC, &limit);
  limit.rlim_cur = std::min(most, limit.rlim_max);
  ::setrlimit(RLIMIT_NPROC, &limit);
}

template <class Policy>
struct poor_server : waiter::basic_waiter<poor_server<Policy>, Policy> {
  using base = waiter::basic_waiter<poor_server, Policy>;
  poor_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() {
    become_somebody();
    limit_processes(1);
    tell("port ", this->get_port());
  }
  void on_process(typename base::client_type& client) { client.write("served\n"); }
  void on_sig_usr2() { limit_processes(RLIM_INFINITY); }
  const teller& tell;
};

template <class Policy>
int run(const teller& tell) {
  typename waiter::basic_options<Policy, waiter::plain> settings;
  settings.address = "127.0.0.1";
  settings.grace = 1000ms;
  settings.logger = [&tell](std::string_view line) { tell("log ", line); };
  return poor_server<Policy>(tell, settings).run();
}

}  // namespace

TEMPLATE_TEST_CASE("while no process can be made the client waits, and is served when one can", "", waiter::forking,
                   waiter::prefork) {
  forked server(run<TestType>);
  support::client client(server.port());
  CHECK(server.wait_for("log fork failed: ") == "Resource temporarily unavailable");
  // It is told about once a second at most, and there is no busy loop.
  const auto used = support::look_at(server.pid())->cpu;
  CHECK_FALSE(server.seek("log fork failed: ", 500ms));
  CHECK(support::look_at(server.pid())->cpu - used < 250ms);
  server.signal(SIGUSR2);
  CHECK(client.read_all() == support::answer("served\n"));
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEMPLATE_TEST_CASE("a server that cannot fork can be stopped at once", "", waiter::forking, waiter::prefork) {
  forked server(run<TestType>);
  support::client client(server.port());
  server.wait_for("log fork failed: ");
  const support::stopwatch watch;
  server.signal(SIGQUIT);
  CHECK(server.wait() == 0);
  CHECK(watch.elapsed() < 5000ms);
  CHECK(server.gone());
  CHECK(client.read_all().text.empty());
}
