#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

using namespace process_test;

namespace {

constexpr std::array signals{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGALRM};

void own_handler(int) {}

/// What a process does with signals.
struct surroundings {
  std::array<struct sigaction, signals.size()> actions{};
  sigset_t mask{};

  static surroundings now() {
    surroundings result;
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], nullptr, &result.actions[i]);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &result.mask);
    return result;
  }

  /// The first difference, in words.
  std::string differs_from(const surroundings& other) const {
    for (std::size_t i = 0; i < signals.size(); ++i) {
      if (actions[i].sa_handler != other.actions[i].sa_handler || actions[i].sa_flags != other.actions[i].sa_flags)
        return std::string("disposition of ") + ::strsignal(signals[i]);
      if (::sigismember(&mask, signals[i]) != ::sigismember(&other.mask, signals[i]))
        return std::string("mask of ") + ::strsignal(signals[i]);
    }
    return "nothing";
  }
};

struct throwing_server : waiter::basic_waiter<throwing_server, waiter::prefork> {
  using basic_waiter::basic_waiter;
  void on_listen_ok() { throw 42; }
  void on_process(client_type&) {}
  void on_exception(std::exception_ptr thrown) { std::rethrow_exception(thrown); }
};

/// Sets what a program may have set.
void set_up() {
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGUSR1, own_handler);
  ::signal(SIGCHLD, SIG_IGN);
  ::signal(SIGINT, SIG_DFL);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGALRM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

}  // namespace

TEMPLATE_TEST_CASE("after run() signals are dealt with as before, and served all the same with SIGCHLD ignored", "",
                   waiter::nofork, waiter::forking, waiter::prefork) {
  forked server([](const teller& tell) {
    set_up();
    const auto before = surroundings::now();
    const int result = echo_server<TestType>(tell, {.address = "127.0.0.1"}).run();
    tell("differs ", before.differs_from(surroundings::now()));
    return result;
  });
  const auto port = server.port();
  for (int i = 0; i < 10; ++i) CHECK(ask(port, "hello") == "hello\n");
  CHECK(support::eventually([&] { return support::children_of(server.pid()).size() <= 8; }));
  server.signal(SIGTERM);
  CHECK(server.wait_for("differs ") == "nothing");
  CHECK(server.wait() == 0);
}

TEST_CASE("a run() that could not listen, or threw, gives signals back, too") {
  forked server([](const teller& tell) {
    set_up();
    const auto before = surroundings::now();
    const int refused = echo_server<waiter::prefork>(tell, {.address = "no address"}).run();
    tell("refused ", refused, " ", before.differs_from(surroundings::now()));
    try {
      throwing_server({.address = "127.0.0.1"}).run();
    } catch (int thrown) {
      tell("thrown ", thrown, " ", before.differs_from(surroundings::now()));
    }
    return 0;
  });
  CHECK(server.wait_for("refused ") == "100 nothing");
  CHECK(server.wait_for("thrown ") == "42 nothing");
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

namespace {

/// What a program prints.
std::string output_of(const char* command) {
  std::FILE* const program = ::popen(command, "r");
  if (program == nullptr) return "nothing";
  std::string text;
  for (int byte = 0; (byte = std::fgetc(program)) != EOF;)
    text.push_back(byte == '\n' || byte == '\t' ? ' ' : static_cast<char>(byte));
  ::pclose(program);
  return text;
}

/// What a program that is started here inherits.
std::string inheritance() {
  return output_of("exec grep -E 'Sig(Blk|Ign)' /proc/self/status") + output_of("exec ls /proc/self/fd");
}

/// Starts a program in every kind of process.
template <class Policy>
struct starting_server : waiter::basic_waiter<starting_server<Policy>, Policy> {
  using base = waiter::basic_waiter<starting_server, Policy>;
  starting_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() { tell("port ", this->get_port()); }
  void on_process(typename base::client_type& client) {
    client.read_line();
    tell("serving ", inheritance());
    client.write("done\n");
  }
  void on_sig_usr1() { tell("signal ", inheritance()); }
  const teller& tell;
};

}  // namespace

TEMPLATE_TEST_CASE("a program that a hook starts inherits no descriptor of ours, nothing blocked and nothing ignored", "",
                   waiter::nofork, waiter::forking, waiter::prefork) {
  forked server([](const teller& tell) {
    tell("before ", inheritance());
    return starting_server<TestType>(tell, {.address = "127.0.0.1"}).run();
  });
  const auto before = server.wait_for("before ");
  const auto port = server.port();
  support::client client(port);
  // While a client is waited for, after signals that have taken the descriptor from it.
  for (int round = 0; round < 2; ++round) {
    server.signal(SIGUSR1);
    CHECK(server.wait_for("signal ") == before);
  }
  CHECK(client.ask("\n") == support::answer("done\n"));
  CHECK(server.wait_for("serving ") == before);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}
