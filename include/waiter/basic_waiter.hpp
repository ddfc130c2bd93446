#ifndef WAITER_BASIC_WAITER_HPP
#define WAITER_BASIC_WAITER_HPP

#include <waiter/census.hpp>
#include <waiter/contract/fork_policy.hpp>
#include <waiter/contract/handler.hpp>
#include <waiter/contract/transport_policy.hpp>
#include <waiter/error.hpp>
#include <waiter/fork/nofork.hpp>
#include <waiter/fwd.hpp>
#include <waiter/hook.hpp>
#include <waiter/limits.hpp>
#include <waiter/options.hpp>
#include <waiter/process/misfit.hpp>
#include <waiter/process/signal_name.hpp>
#include <waiter/process/within.hpp>
#include <waiter/server/fork_host.hpp>
#include <waiter/server/listen_on.hpp>
#include <waiter/server/logger.hpp>
#include <waiter/server/unfit.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/service_manager.hpp>
#include <waiter/system/signal_handlers.hpp>
#include <waiter/system/take_connected.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waiter {

/// A server whose clients are served by processes.
///
/// Derive from it, give your class as `Handler`, and write `on_process`; the other hooks are called if you have them. Who
/// serves a client is the `ForkPolicy`'s affair (`nofork`, `forking`, `prefork`), what carries its bytes the `TransportPolicy`'s
/// (`plain`, `ssl`). `docs/hooks.md` tells which process runs which hook.
///
/// One server runs in a process at a time: signal handlers are the process's. `run()` takes TERM, INT, QUIT, HUP, USR1, USR2,
/// CHLD and PIPE, and gives them back as they were.
template <class Handler, class ForkPolicy, class TransportPolicy>
class basic_waiter {
  using fork_policy = contract::checked_fork_policy<ForkPolicy>;
  using transport_policy = contract::checked_transport_policy<TransportPolicy>;

 public:
  using client_type = typename transport_policy::client_type;
  using options = basic_options<fork_policy, transport_policy>;

  /// A handler inherits it: `using basic_waiter::basic_waiter;`. Nothing happens before `run()`.
  explicit basic_waiter(options settings = {}) : options_(std::move(settings)) {}

  // A server belongs to its process, its sockets and its kids.
  basic_waiter(const basic_waiter&) = delete;
  basic_waiter& operator=(const basic_waiter&) = delete;

  /// Serves until it is stopped: by TERM or INT, by QUIT without patience for the clients in hand, or by `break_main_loop()`.
  ///
  /// Returns 0, or 100 when the listening socket, or what the transport needs before it, cannot be made, when the options contradict
  /// each other, or when the socket fails for good; then the log says why in one sentence, and nothing is left behind. Throws only what `on_exception`
  /// has thrown. May be called again. Kids never return from it.
  int run() {
    return in_host([this] { return live(); });
  }

  /// Serves the one client who is connected to this descriptor already, in this process, whatever the fork policy, and returns: for a
  /// program that is started for each client, by inetd(8) or a unit with Accept=yes (then it is standard input). Nobody listens, so there
  /// is no on_listen_ok; the other hooks are those of `nofork`, in its order.
  ///
  /// The descriptor is the server's from now on. Returns 0, or 100 when nobody is connected to it, or the options do not fit together.
  int run_for(int client = 0) {
    return in_host([this, client] { return live_for(client); });
  }

  /// Ends the main loop of the process it is called in: the server's, after what is in hand; or that of a preforked kid, after
  /// its client. A forking kid has none, and outside of run() there is none.
  void break_main_loop() noexcept {
    if (host_) host_->stop();
  }

  /// True once this process is to end: it was told so by a signal (TERM, INT, QUIT), or by `break_main_loop()`. In a kid: after its
  /// client, and the server's patience is `grace`. For a hook that waits for something else than its client, or works for long.
  bool is_stopping() const noexcept { return host_ && host_->asked_to_stop(); }

  /// Makes new clients find new settings, while all others are served: `on_reload` runs in the listening process as soon as no other hook
  /// does, the transport reads its files anew (bad ones change nothing: `on_ssl_error`), and a pool is replaced, kid by kid, each by one
  /// that accepts before the old one is asked to leave. Kids of `forking` finish their client as they began it. Several calls before
  /// `on_reload` runs are one; a later one is a reload of its own. In a kid, and while the server stops, it does nothing.
  void reload() noexcept {
    if (host_) host_->want_reload();
  }

  /// Starts a new program that takes this server's place, and lets it have the listening sockets: in any hook of the listening process;
  /// in a kid, and outside of run(), nothing happens. Needs `#include <waiter/upgrade.hpp>`.
  ///
  /// The program is started at the next turn of the server's loop. When it serves, within `options::upgrade.within`, this server
  /// finishes its clients as in a stop, and run() returns 0; the sockets stay open, nobody is refused. Whatever fails, this server
  /// serves on, and on_upgrade_failed tells why. One upgrade at a time.
  /// \tparam Starter  starts programs; yours, if Boost.Process is not to do it
  template <class Starter = program_starter>
  void upgrade() {
    static_assert(requires { sizeof(Starter); },
                  "waiter: upgrade() starts programs by Boost.Process, which <waiter/waiter.hpp> does not bring in: include "
                  "<waiter/upgrade.hpp>. See docs/operations.md");
    if constexpr (requires { sizeof(Starter); }) {
      if (!host_ || host_->is_kid()) return;
      host_->request_successor(&Starter::start, Starter::program(options_.upgrade));
    }
  }

  static constexpr bool ssl_in_use() noexcept { return transport_policy::encrypted; }

  /// True in a kid; in `nofork` from on_child_start to on_child_exit.
  bool is_child() const noexcept { return host_ && host_->is_child(); }

  /// The listening socket, the first one where `options::listen` has several, in the listening process, from on_listen_ok to
  /// on_server_close; otherwise -1. It stays the server's.
  int get_server_socket() const noexcept { return host_ && !host_->is_kid() ? host_->listener().get() : -1; }

  /// The socket of the client in hand, or -1. It stays the client's.
  int get_client_socket() const noexcept { return host_ ? host_->client_descriptor() : -1; }

  /// The port that it listens on, the first one where there are several, also when the kernel chose it; 0 when there is none.
  std::uint16_t get_port() const noexcept { return host_ ? port_ : std::uint16_t{0}; }

  /// All places that it listens on, in the order of the options, in the listening process from on_listen_ok to on_server_close: "127.0.0.1:80", "unix:/run/x.sock".
  std::vector<std::string> get_listen_places() const {
    std::vector<std::string> all;
    if (host_ && !host_->is_kid())
      host_->doorway().for_each([&all](const system::listener& one) {
        if (one) all.push_back(one.name());
      });
    return all;
  }

  /// How many kids have a client, and how many there are; as it is now, in every process of the server.
  std::pair<int, int> get_busy_kids_count() const noexcept {
    const census all = fork_.count();
    return {all.busy, all.kids};
  }
  int get_kids_count() const noexcept { return fork_.count().kids; }

  /// The listening process, in every process of the server; 0 before the first run().
  pid_t get_parent_pid() const noexcept { return parent_; }

  /// All kids, in the listening process; in a kid there are none.
  std::vector<pid_t> get_kid_pids() const { return host_ && host_->is_kid() ? std::vector<pid_t>() : fork_.kid_pids(); }

  /// Sends a signal to every kid: by number, or by name ("USR1", "SIGUSR1", "10"). In a kid it does nothing.
  /// \return `error::unknown_signal`, and nothing was sent, when there is no such signal
  error_code propagate_signal(int signal) noexcept { return propagate_signal(std::string_view(std::to_string(signal))); }
  error_code propagate_signal(std::string_view name) noexcept {
    const auto signal = signal_number(name);
    if (!signal) return error::unknown_signal;
    if (host_ && !host_->is_kid()) fork_.signal_kids(*signal);
    return {};
  }

  /// Asks all kids to end, each after its client. A pool fills up again, unless the server stops.
  error_code stop_all_kids(int signal = SIGTERM) noexcept { return propagate_signal(signal); }

  /// Writes one line: the parts, put together with `<<`, to `options::logger`, or with the time and the process to standard error.
  template <class... Parts>
  void log(const Parts&... parts) const noexcept {
    log_parts(options_.logger, parts...);
  }
  /// The same, when `options::debug` is set.
  template <class... Parts>
  void log_debug(const Parts&... parts) const noexcept {
    if (options_.debug) log(parts...);
  }

  /// Tells the service manager that started this server any lines of sd_notify(3), as "STATUS=warming up". In a kid, and where there is no
  /// such manager, it does nothing. The server itself tells that it is ready, reloads, stops and lives, and how many kids are busy.
  error_code notify(std::string_view lines) noexcept { return host_ ? host_->manager().say(lines) : error_code(); }

  /// Gives that manager a copy of each listening socket, which it passes on under this name when the service is started again: to be
  /// listened on as "fd:NAME". A stop then leaves who is in the queue to the next start. In on_listen_ok; without a manager nothing happens.
  error_code store_listeners(std::string_view name) {
    error_code first;
    if (host_ && !host_->is_kid())
      host_->doorway().for_each([&](system::listener& one) {
        const auto error = host_->manager().store(one, name);
        if (!first) first = error;
      });
    return first;
  }

  const options& get_options() const noexcept { return options_; }

 protected:
  ~basic_waiter() = default;

 private:
  template <class Life>
  int in_host(Life&& life) {
    contract::explain_fork_policy<ForkPolicy>();
    contract::explain_transport_policy<TransportPolicy>();
    contract::explain_handler<Handler, basic_waiter, client_type, typename fork_policy::runs>();
    system::signal_handlers signals;
    error_code error;
    if (signals.take(error); error) return not_listening("the signals of this process are taken: " + error.message());

    if (transport_policy::encrypted && options_.max_handshakes > 0) signals.let_give_way();
    host_.emplace(contract::handler_of<Handler>(*this), fork_, transport_, options_);
    host_->restore_in_programs(signals);
    host_->look_for_predecessor();
    parent_ = ::getpid();
    const int result = life();
    const auto escaped = host_->escaped();
    host_.reset();
    signals.give_back();
    if (escaped) std::rethrow_exception(escaped);
    return result;
  }

  int live() {
    auto& host = *host_;
    debug_hooks();
    host.template call<hook::on_server_begin>();
    if (host.escaped()) return exit_not_listening;
    std::optional<std::string> wrong = unfit(options_);
    if (!wrong) wrong = transport_.prepare(options_.transport);
    if (!wrong) wrong = listen_on(host.doorway(), options_, &host.predecessor());
    host.predecessor().leave_rest();
    if (!wrong) wrong = fork_.prepare(options_.fork);
    if (wrong) return not_listening(*wrong);

    if (const auto capped = find_capped(limits_of(options_))) log("maxfork wins: ", in_words(*capped));
    port_ = host.doorway().port();
    if (options_.notify) host.manager().begin(&system::manager_of_this_process());
    if (host.manager().has_watchdog()) host.doorway().wait_first();
    host.template call<hook::on_listen_ok>();
    host.tell_manager();
    fork_.serve(host);
    host.manager().stopping();
    host.template call<hook::on_server_close>();
    host.finish();
    return host.unusable() ? exit_not_listening : exit_ok;
  }

  int live_for(int descriptor) {
    auto& host = *host_;
    static_assert(!fork_host<Handler, fork_policy, transport_policy>::asynchronous,
                  "waiter: run_for() serves its client by calls that wait: it needs a transport that does, as plain and ssl. See docs/hooks.md");
    // Before anything is printed: standard error may be the client.
    error_code error;
    auto client = system::take_connected(descriptor, error);
    debug_hooks();
    host.template call<hook::on_server_begin>();
    if (host.escaped()) return exit_not_listening;
    std::optional<std::string> wrong = unfit(options_);
    if (!wrong) wrong = transport_.prepare(options_.transport);
    if (!wrong && !client)
      wrong = "nobody is connected to descriptor " + std::to_string(descriptor) + ": " + error.message();
    if (wrong) {
      log("not serving: ", *wrong);
      return exit_not_listening;
    }
    nofork::attend(host, std::move(*client));
    host.template call<hook::on_server_close>();
    host.finish();
    return exit_ok;
  }

  int not_listening(const std::string& reason) const noexcept {
    log("not listening: ", reason);
    return exit_not_listening;
  }

  void debug_hooks() const {
    if (!options_.debug) return;
    std::string names;
    for (const auto name : hook_access::names_in<Handler>()) names.append(" ").append(name);
    log(fork_policy::name, ", ", transport_policy::name, ", hooks:", names);
  }

  options options_;
  fork_policy fork_;
  transport_policy transport_;
  std::optional<fork_host<Handler, fork_policy, transport_policy>> host_;
  pid_t parent_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace waiter

#endif
