// A server that answers each line, and tells the test what happens to it.
#ifndef WAITER_TESTS_PROCESS_ECHO_SERVER_HPP
#define WAITER_TESTS_PROCESS_ECHO_SERVER_HPP

#include <waiter/waiter.hpp>

#include "forked.hpp"

#include "support/client.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>
#include <utility>

namespace process_test {

/// The hooks that only a server with kids runs.
template <class ForkPolicy>
struct kid_hooks {
  explicit kid_hooks(const teller& how) : tell(how) {}

  void on_child_start() {
    if (verbose) tell("started ", ::getpid());
  }
  void on_fork_ok(pid_t pid) {
    ++forked;
    if (verbose) tell("forked ", pid);
  }
  void on_sig_child(pid_t pid, int status) {
    ++ended;
    if (verbose) tell("ended ", pid, " ", status);
  }

  const teller& tell;
  bool verbose = true;
  int forked = 0;
  int ended = 0;
};
template <>
struct kid_hooks<waiter::nofork> {
  explicit kid_hooks(const teller& how) : tell(how) {}

  const teller& tell;
  bool verbose = true;
  int forked = 0;
  int ended = 0;
};

/// Lines a client may send: "pid" is answered by the process that serves, "hold" is answered and waits for the next line, "crash"
/// is the end of the process, "throw" an exception; anything else is sent back. A client is served one line, but for "hold".
template <class ForkPolicy, class TransportPolicy = waiter::plain>
struct echo_server : waiter::basic_waiter<echo_server<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy>,
                     kid_hooks<ForkPolicy> {
  using base = waiter::basic_waiter<echo_server, ForkPolicy, TransportPolicy>;
  using client_type = typename base::client_type;
  using options = typename base::options;

  echo_server(const teller& how, options settings) : base(std::move(settings)), kid_hooks<ForkPolicy>(how) {}

  void on_listen_ok() { this->tell("port ", this->get_port()); }
  void on_process(client_type& client) {
    while (const auto line = client.read_line()) {
      if (*line == "crash") ::kill(::getpid(), SIGKILL);
      if (*line == "throw") throw 42;
      client.write((*line == "pid" ? std::to_string(::getpid()) : *line) + "\n");
      if (*line != "hold") return;
    }
  }
  /// Asked how it stands: how many kids were forked and have ended.
  void on_sig_usr1() { this->tell("counts ", this->forked, " ", this->ended); }
};

/// Asks one line; "" when there is no answer.
inline std::string ask(std::uint16_t port, std::string_view line) {
  support::client client(port);
  if (!client.connected()) return "";
  client.send(std::string(line) + "\n");
  return client.read_line();
}

/// A client that has a process to itself.
struct holding {
  support::client client;
  bool held;

  explicit holding(std::uint16_t port) : client(port), held(client.send("hold\n") && client.read_line() == "hold\n") {}
  pid_t server() {
    client.send("pid\n");
    const auto answer = client.read_line();
    return answer.empty() ? 0 : static_cast<pid_t>(std::stol(answer));
  }
  bool answered() { return client.send("bye\n") && client.read_line() == "bye\n"; }
};

}  // namespace process_test

#endif
