// The children of the program that a server is embedded in are none of the server's.
#include <waiter/system/reap.hpp>
#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace process_test;

namespace {

/// A child that ends at once with this status.
pid_t child_ending_with(int status) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(status);
  return pid;
}

void wait_until_zombie(pid_t pid) {
  siginfo_t seen{};
  ::waitid(P_PID, static_cast<id_t>(pid), &seen, WEXITED | WNOWAIT);
}

/// How many of the children still have the status that they ended with. The last ones may be about to end; a status that somebody
/// else took is an error at once (ECHILD).
int statuses_kept(const std::map<pid_t, int>& children) {
  int kept = 0;
  for (const auto& [pid, wanted] : children) {
    int status = 0;
    kept += ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted;
  }
  return kept;
}

std::set<pid_t> reap_all(std::set<pid_t>& ours) {
  std::set<pid_t> reaped;
  const auto is_ours = [&](pid_t pid) { return ours.count(pid) != 0; };
  while (const auto ended = waiter::system::reap_next(is_ours, [&] { return ours; })) {
    ours.erase(ended->pid);
    reaped.insert(ended->pid);
  }
  return reaped;
}

/// Ends children of its own, and tells how many keep their statuses.
template <class Policy>
struct embedded_server : waiter::basic_waiter<embedded_server<Policy>, Policy> {
  using base = waiter::basic_waiter<embedded_server, Policy>;
  embedded_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() {
    make_children(500);
    tell("port ", this->get_port());
  }
  void on_process(typename base::client_type& client) { client.write("served\n"); }
  void on_sig_usr1() { make_children(500); }

  void make_children(int count) {
    for (int i = 0; i < count; ++i) {
      const int status = static_cast<int>(children.size() % 100) + 1;
      children[child_ending_with(status)] = status;
    }
    tell("made ", children.size());
  }

  const teller& tell;
  std::map<pid_t, int> children{};
};

}  // namespace

TEST_CASE("of 1000 foreign children each keeps its status, while as many kids are reaped") {
  forked test([](const teller& tell) {
    std::map<pid_t, int> foreign;
    std::set<pid_t> ours;
    std::set<pid_t> reaped;
    for (int i = 0; i < 1000; ++i) {
      foreign[child_ending_with(i % 100)] = i % 100;
      ours.insert(child_ending_with(7));
      if (i % 10 == 0) reaped.merge(reap_all(ours));
    }
    for (const pid_t pid : ours) wait_until_zombie(pid);
    reaped.merge(reap_all(ours));
    tell("reaped ", reaped.size());
    tell("kept ", statuses_kept(foreign));
    return 0;
  });
  CHECK(test.number("reaped ") == 1000);
  CHECK(test.number("kept ") == 1000);
  CHECK(test.wait() == 0);
}

TEST_CASE("a foreign zombie in front hides no kid, and several deaths stand behind one signal") {
  forked test([](const teller& tell) {
    const pid_t foreign = child_ending_with(5);
    wait_until_zombie(foreign);
    std::set<pid_t> ours;
    for (int i = 0; i < 10; ++i) ours.insert(child_ending_with(i));
    for (const pid_t pid : ours) wait_until_zombie(pid);
    tell("reaped ", reap_all(ours).size());
    tell("again ", reap_all(ours).size());
    tell("kept ", statuses_kept({{foreign, 5}}));
    return 0;
  });
  CHECK(test.number("reaped ") == 10);
  CHECK(test.number("again ") == 0);
  CHECK(test.number("kept ") == 1);
  CHECK(test.wait() == 0);
}

TEST_CASE("nothing to reap is no kid: none there, none ended, none of ours") {
  forked test([](const teller& tell) {
    std::set<pid_t> ours;
    tell("none ", reap_all(ours).size());
    const pid_t sleeper = ::fork();
    if (sleeper == 0) {
      for (;;) ::pause();
    }
    ours.insert(sleeper);
    tell("asleep ", reap_all(ours).size());
    ::kill(sleeper, SIGKILL);
    wait_until_zombie(sleeper);
    ours.clear();
    tell("foreign ", reap_all(ours).size());
    ours.insert(sleeper);
    tell("ours ", reap_all(ours).size());
    return 0;
  });
  CHECK(test.number("none ") == 0);
  CHECK(test.number("asleep ") == 0);
  CHECK(test.number("foreign ") == 0);
  CHECK(test.number("ours ") == 1);
  CHECK(test.wait() == 0);
}

TEMPLATE_TEST_CASE("a server under way never takes the status of a foreign child", "", waiter::nofork, waiter::forking,
                   waiter::prefork) {
  forked server([](const teller& tell) {
    embedded_server<TestType> embedded(tell, {.address = "127.0.0.1"});
    const int result = embedded.run();
    tell("kept ", statuses_kept(embedded.children));
    return result;
  });
  const auto port = server.port();
  server.signal(SIGUSR1);
  for (int i = 0; i < 50; ++i) CHECK(ask(port, "hello") == "served\n");
  CHECK(server.seek("made 1000", support::patience));
  for (int i = 0; i < 50; ++i) CHECK(ask(port, "hello") == "served\n");
  server.signal(SIGTERM);
  CHECK(server.number("kept ") == 1000);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}
