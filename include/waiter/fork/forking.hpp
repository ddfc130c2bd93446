#ifndef WAITER_FORK_FORKING_HPP
#define WAITER_FORK_FORKING_HPP

#include <waiter/census.hpp>
#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/options.hpp>
#include <waiter/process/admission.hpp>
#include <waiter/process/backoff.hpp>
#include <waiter/process/child_table.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/kid_report.hpp>
#include <waiter/process/kid_watch.hpp>
#include <waiter/process/pool_limits.hpp>
#include <waiter/process/stop_sequence.hpp>
#include <waiter/server/logger.hpp>
#include <waiter/server/make_way.hpp>
#include <waiter/server/obey_watch.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/busy_board.hpp>
#include <waiter/system/event_wait.hpp>
#include <waiter/system/fork.hpp>
#include <waiter/system/reap.hpp>
#include <waiter/system/signal_handlers.hpp>
#include <waiter/system/signal_mask.hpp>
#include <waiter/system/title.hpp>

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waiter {

/// A process for each client. The parent accepts, forks and looks after its kids; it reads no byte of a client.
class forking {
 public:
  struct options {
    /// So many clients at once; who comes then is refused (on_maxforked). 0 means 1024; below 0 there is no limit of ours.
    int maxfork = 0;
    /// A client that a kid has for longer than this is reported: on_child_overtime in the kid, when it waits for its client, and a line
    /// in the log. Time in which the parent itself did not run (a suspended machine, a stopped group) does not count.
    milliseconds soft_limit = never;
    /// After this the kid is killed.
    milliseconds hard_limit = never;
    /// Fork even while another thread lives in the process. The kid may then use nothing that such a thread may have locked (fork(2)).
    bool allow_threads = false;
  };

  static constexpr std::string_view name = "forking";

  using runs = hooks<hook::on_server_begin, hook::on_listen_ok, hook::on_accept_error, hook::on_accept_ok, hook::on_maxforked,
                     hook::on_fork_ok, hook::on_child_start, hook::on_ssl_error, hook::on_process, hook::on_child_overtime,
                     hook::on_exception, hook::on_close, hook::on_child_exit, hook::on_forking_idle, hook::on_sig_child, hook::on_sig_hup, hook::on_sig_usr1,
                     hook::on_sig_usr2, hook::on_child_sig_hup, hook::on_child_sig_usr1, hook::on_child_sig_usr2, hook::on_reload,
                     hook::on_upgrade_failed, hook::on_server_close>;

  /// Before on_listen_ok: nullopt, or why there can be no kids.
  std::optional<std::string> prepare(const options& settings) {
    most_ = std::min(effective_maxfork(settings.maxfork), most_places);
    settings_ = settings;
    kids_ = child_table(most_);
    watch_ = kid_watch({settings.soft_limit, settings.hard_limit});
    board_.close();
    title_.remember();
    error_code error;
    board_.open(static_cast<std::size_t>(most_), error);
    if (error) return "no shared memory for " + std::to_string(most_) + " kids: " + error.message();
    return std::nullopt;
  }

  /// The parent's life, from the listening socket to its last kid.
  template <class Host>
  void serve(Host& host) {
    const system::signal_mask mask;
    host.hold_signals(&mask);
    attend(host);
    host.close_door();
    while (auto accepted = host.last_client()) {
      attend_to(host, std::move(*accepted));
      look_around(host);
    }
    host.lock_door();
    see_off(host);
    host.hold_signals(nullptr);
  }

  census count() const noexcept {
    auto all = board_.count();
    if (in_kid_) return all;
    return {.busy = std::min(all.busy, kids_.count()), .kids = kids_.count()};
  }
  std::vector<pid_t> kid_pids() const { return kids_.pids(); }
  /// In a kid: its client is in its handshake for longest, of more than `most`.
  bool gives_way(int most) const noexcept { return board_.gives_way(place_, most); }
  void signal_kids(int signal) noexcept {
    kids_.for_each([signal](std::size_t, const child_table::kid& kid) { ::kill(kid.pid, signal); });
  }

 private:
  using clock = std::chrono::steady_clock;

  // A place takes 64 bytes of address space, and memory only once it is used.
  static constexpr int most_places = 65536;
  /// How long a client that was accepted waits for a fork that fails.
  static constexpr milliseconds longest_wait_for_fork{10000};
  /// How long one waits for the place of a kid that gives way.
  static constexpr milliseconds longest_wait_for_place{50};

  template <class Host>
  void attend(Host& host) {
    constexpr bool ticks = Host::template has<hook::on_forking_idle>;
    const auto next_tick = [&host] { return ticks ? clock::now() + host.timeout() : instant::max(); };
    instant idle_at = next_tick();
    while (look_around(host), !host.stopping()) {
      if (host.wait_readable(std::min(idle_at, watch_.next_look(clock::now())))) {
        take_client(host);
        idle_at = next_tick();
      } else if (ticks && clock::now() >= idle_at) {
        host.template call<hook::on_forking_idle>();
        idle_at = next_tick();
      }
    }
  }

  // Signals, and kids that have ended.
  template <class Host>
  void look_around(Host& host) {
    host.run_signal_hooks();
    look_at_clocks(host);
    if (host.take_kid_has_ended()) reap(host);
    host.reload();  // the next client's kid begins with what is read now
  }

  template <class Host>
  void reap(Host& host) {
    const auto ours = [this](pid_t pid) { return kids_.find(pid).has_value(); };
    while (const auto ended = system::reap_next(ours, [this] { return kids_.pids(); })) {
      const auto place = *kids_.find(ended->pid);
      kids_.release(place);
      watch_.kid_gone(place);
      board_.vacate(place);
      host.template call<hook::on_sig_child>(ended->pid, ended->status);
    }
    host.hooks().reap_orphans(ours);
  }

  template <class Host>
  void look_at_clocks(Host& host) {
    if (settings_.soft_limit == never && settings_.hard_limit == never) return;
    reports_.clear();
    kids_.for_each([this](std::size_t place, const child_table::kid& kid) {
      reports_.resize(place);
      reports_.push_back({.state = activity::busy, .since = kid.born});
    });
    const instant now = clock::now();
    while (const auto order = watch_.look(kids_, reports_, now)) obey_watch(host, *order);
  }

  template <class Host>
  void take_client(Host& host) {
    error_code error;
    auto accepted = host.accept(error);
    if (!accepted) {
      if (error != boost::system::errc::interrupted && error != boost::system::errc::resource_unavailable_try_again) host.accept_failed(error);
      return;
    }
    attend_to(host, std::move(*accepted));
  }

  template <class Host>
  void attend_to(Host& host, system::accepted&& accepted) {
    auto client = host.welcome(std::move(accepted));
    if (!host.greet(client)) return host.part(client);
    if (is_full() && !place_becomes_free(host)) return host.refuse(client);
    if (!fork_for(host, client)) return host.part(client);
    host.hand_over(client);
  }

  bool is_full() const { return admit(kids_.count(), most_) == admission::turn_away; }

  // Kids that give way end within moments: no client need be refused because they have not done so yet.
  template <class Host>
  bool place_becomes_free(Host& host) {
    const int most = host.most_handshakes();
    const instant enough = clock::now() + longest_wait_for_place;
    while (most > 0 && board_.count_greeting() > most && clock::now() < enough && !host.out_of_time()) {
      host.wait(enough);
      look_around(host);
      if (!is_full()) return true;
    }
    return false;
  }

  // False when there is no kid for the client: then it is closed unserved.
  template <class Host>
  bool fork_for(Host& host, typename Host::client_type& client) {
    const instant give_up = clock::now() + longest_wait_for_fork;
    for (;;) {
      const std::size_t place = kids_.vacant_slot();
      board_.seat(place);
      board_.greeting(place);  // so that the next client, too, is counted before the kid gets a processor
      error_code error;
      const pid_t pid = system::fork_process(settings_.allow_threads, error);
      if (pid == 0) live(host, client, place);
      if (pid > 0) {
        kids_.book(place, pid, clock::now());
        make_way(board_, kids_, host.most_handshakes());
        host.template call<hook::on_fork_ok>(pid);
        return true;
      }
      board_.vacate(place);
      const instant now = clock::now();
      if (fork_failures_.due()) host.log("fork failed: ", error.message());
      if (error == waiter::error::threads_alive || now >= give_up) return false;
      // The client is in hand and is not lost for a moment's lack of memory or of processes.
      backoff_.fork_failed(now);
      while (clock::now() < backoff_.next_fork()) {
        host.wait(backoff_.next_fork());
        look_around(host);
        if (host.out_of_time()) return false;
      }
    }
  }

  template <class Host>
  [[noreturn]] void live(Host& host, typename Host::client_type& client, std::size_t place) {
    in_kid_ = true;
    kids_ = child_table(0);
    title_.take_over();
    title_.busy(1);
    place_ = place;
    host.become_kid(false);
    if (Host::template has<hook::on_child_overtime> && settings_.soft_limit != never) system::signal_handlers::watch_for_overtime();
    if (host.template call<hook::on_child_start>())
      host.serve(client, [this, place] { board_.greeted(place); });
    else
      host.part(client);
    host.template call<hook::on_child_exit>();
    host.leave(host.threw());
  }

  template <class Host>
  void see_off(Host& host) {
    stop_sequence sequence(host.settings().grace);
    sequence.stop(clock::now());
    for (;;) {
      look_around(host);
      if (host.hurried()) sequence.hurry(clock::now());
      const auto next = sequence.next(kids_, clock::now());
      switch (next->kind) {
        case action::ask: ::kill(next->pid, SIGTERM); break;
        case action::kill: ::kill(next->pid, SIGKILL); break;
        case action::finished: return;
        default: host.wait(std::min(next->until, watch_.next_look(clock::now())));
      }
    }
  }

  child_table kids_{0};
  kid_watch watch_;
  std::vector<kid_report> reports_;
  backoff backoff_{1};
  system::busy_board board_;
  system::title title_;
  once_a_second fork_failures_;
  int most_ = 0;
  options settings_;
  std::size_t place_ = 0;  // in a kid
  bool in_kid_ = false;
};

}  // namespace waiter

#endif
