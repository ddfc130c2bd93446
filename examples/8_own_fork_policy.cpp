// A fork policy of one's own, of the library's public headers only: a pool of fixed size whose kids each serve so many clients,
// and then make room for a fresh one. Whatever a handler leaks, or leaves in a mess, is gone after a while.
//
//   $ 8_own_fork_policy 9123 &          8_own_fork_policy [PORT]
//   $ for i in 1 2 3 4 5; do socat - TCP:localhost:9123; done
//   hello, you are client 1 of 3 of process 4711
//   …
//
// A policy says which process does what. How a client is served, a signal heard, a hook called, stands in the host that it is
// given.
#include "support/port.hpp"

#include <waiter/process/backoff.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/stop_sequence.hpp>
#include <waiter/system/busy_board.hpp>
#include <waiter/system/fork.hpp>
#include <waiter/system/parent_watch.hpp>
#include <waiter/system/reap.hpp>
#include <waiter/system/signal_mask.hpp>
#include <waiter/waiter.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A pool of `kids` processes, each of which is replaced after `clients` clients.
class renewing {
 public:
  struct options {
    int kids = 4;
    int clients = 100;
  };

  static constexpr std::string_view name = "renewing";

  /// The hooks that this policy calls. A handler that states what it `implements` is held to them.
  using runs = waiter::hooks<waiter::hook::on_server_begin, waiter::hook::on_listen_ok, waiter::hook::on_accept_error,
                             waiter::hook::on_accept_ok, waiter::hook::on_fork_ok, waiter::hook::on_child_start,
                             waiter::hook::on_ssl_error, waiter::hook::on_process, waiter::hook::on_exception,
                             waiter::hook::on_close, waiter::hook::on_child_exit, waiter::hook::on_prefork_child_idle,
                             waiter::hook::on_sig_child, waiter::hook::on_sig_hup, waiter::hook::on_sig_usr1,
                             waiter::hook::on_sig_usr2, waiter::hook::on_child_sig_hup, waiter::hook::on_child_sig_usr1,
                             waiter::hook::on_child_sig_usr2, waiter::hook::on_server_close>;

  /// Before there are kids: nothing, or why there can be none. Then run() logs it and returns 100.
  std::optional<std::string> prepare(const options& settings) {
    if (settings.kids < 1 || settings.clients < 1) return "kids >= 1 and clients >= 1 do not hold";
    clients_ = settings.clients;
    kids_ = waiter::child_table(settings.kids);
    most_ = settings.kids;
    waiter::error_code error;
    board_.close();
    board_.open(static_cast<std::size_t>(most_), error);
    if (!error) parent_.open(error);
    if (error) return "no shared memory and pipe for the kids: " + error.message();
    return std::nullopt;
  }

  /// The life of the listening process. It never sees a client; it keeps the pool full until it is to stop.
  template <class Host>
  void serve(Host& host) {
    // How long a kid sleeps in accept, where the handler wants to hear of idleness.
    host.template prepare_idle_hook<waiter::hook::on_prefork_child_idle>();
    // From now on signals come in only while the host waits or a hook runs, so none is lost between a look and a wait.
    const waiter::system::signal_mask mask;
    host.hold_signals(&mask);
    while (look_around(host), !host.stopping()) {
      const auto now = clock::now();
      if (kids_.count() == most_)
        host.wait(waiter::instant::max());
      else if (backoff_.may_fork(now))
        fork_kid(host);
      else
        host.wait(backoff_.next_fork());
    }
    see_off(host);
    parent_.close();
    host.hold_signals(nullptr);
  }

  /// In any process: the board is shared memory.
  waiter::census count() const noexcept { return board_.count(); }
  std::vector<pid_t> kid_pids() const { return kids_.pids(); }
  void signal_kids(int signal) noexcept {
    kids_.for_each([signal](std::size_t, const waiter::child_table::kid& kid) { ::kill(kid.pid, signal); });
  }

 private:
  using clock = std::chrono::steady_clock;

  // The hooks of signals, and kids that have ended.
  template <class Host>
  void look_around(Host& host) {
    host.run_signal_hooks();
    if (!host.take_kid_has_ended()) return;
    const auto ours = [this](pid_t pid) { return kids_.find(pid).has_value(); };
    while (const auto ended = waiter::system::reap_next(ours, [this] { return kids_.pids(); })) {
      const auto place = *kids_.find(ended->pid);
      const auto born = kids_.at(place)->born;
      // A kid that ends before its first client, not because it was told to, must not make the parent fork without a pause.
      if (board_.has_served(place))
        backoff_.survived(born);
      else if (!host.stopping())
        backoff_.young_death(born, clock::now());
      kids_.release(place);
      board_.vacate(place);
      host.template call<waiter::hook::on_sig_child>(ended->pid, ended->status);
    }
  }

  template <class Host>
  void fork_kid(Host& host) {
    const auto place = kids_.vacant_slot();
    board_.seat(place);
    waiter::error_code error;
    const pid_t pid = waiter::system::fork_process(false, error);
    if (pid == 0) live(host, place);
    if (pid > 0) {
      kids_.book(place, pid, clock::now());
      backoff_.forked(clock::now());
      host.template call<waiter::hook::on_fork_ok>(pid);
    } else {
      board_.vacate(place);
      backoff_.fork_failed(clock::now());
      host.log("fork failed: ", error.message());
    }
  }

  // The life of a kid. It never returns: above it on the stack is the parent's life.
  template <class Host>
  [[noreturn]] void live(Host& host, std::size_t place) {
    host.become_kid(true);           // it accepts, so it keeps the listening socket
    host.watch_parent(parent_);      // and leaves when nobody looks after it any more
    kids_ = waiter::child_table(0);  // these are its parent's, not its own
    bool stay = host.template call<waiter::hook::on_child_start>();
    const bool failed = !stay;
    board_.idle(place);
    for (int left = clients_; stay && (left > 0 || host.stopping()); --left) {
      // Waits, and runs the hooks of signals and of idleness meanwhile. Nobody comes when the kid is to end and the queue is empty.
      auto accepted = host.template next_client<waiter::hook::on_prefork_child_idle>([] {});
      if (!accepted) break;
      board_.busy(place);
      auto client = host.welcome(std::move(*accepted));
      if (host.greet(client))
        stay = host.serve(client);
      else
        host.part(client);
      board_.served(place);
      board_.idle(place);
    }
    host.template call<waiter::hook::on_child_exit>();
    host.leave(failed || host.escaped() != nullptr);
  }

  // Asks, waits for the clients in hand, insists: the sequence says what is next.
  template <class Host>
  void see_off(Host& host) {
    host.close_door();  // nobody new comes in; the kids serve those who have come already
    waiter::stop_sequence sequence(host.settings().grace);
    sequence.stop(clock::now());
    for (;;) {
      look_around(host);
      if (host.hurried()) sequence.hurry(clock::now());
      const auto next = sequence.next(kids_, clock::now());
      switch (next->kind) {
        case waiter::action::ask: ::kill(next->pid, SIGTERM); break;
        case waiter::action::kill: ::kill(next->pid, SIGKILL); break;
        case waiter::action::finished: return;
        default: host.wait(host.lock_door() ? next->until : std::min(next->until, clock::now() + std::chrono::milliseconds(10)));
      }
    }
  }

  int most_ = 0;
  int clients_ = 0;
  waiter::child_table kids_{0};
  waiter::backoff backoff_{3};
  waiter::system::busy_board board_;
  waiter::system::parent_watch parent_;
};

static_assert(waiter::fork_policy<renewing>);

struct counting : waiter::basic_waiter<counting, renewing, waiter::plain> {
  using basic_waiter::basic_waiter;

  void on_listen_ok() { log("listening on port ", get_port()); }
  void on_fork_ok(pid_t kid) { log("a fresh kid: ", kid); }
  void on_process(client_type& client) {
    client.stream() << "hello, you are client " << ++served_ << " of " << get_options().fork.clients << " of process "
                    << ::getpid() << "\n";
  }

 private:
  int served_ = 0;
};

int main(int count, char** arguments) {
  const auto port = waiter_examples::to_port(count > 1 ? arguments[1] : "9123");
  if (!port || count > 2) {
    std::cerr << "usage: 8_own_fork_policy [PORT], where PORT is 0 to 65535\n";
    return 2;
  }
  counting server{{.port = *port, .fork = {.kids = 2, .clients = 3}}};
  return server.run();
}
