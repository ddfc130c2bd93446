#ifndef WAITER_FORK_PREFORK_HPP
#define WAITER_FORK_PREFORK_HPP

#include <waiter/census.hpp>
#include <waiter/error.hpp>
#include <waiter/fork/prefork_crowd.hpp>
#include <waiter/hook.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/kid_report.hpp>
#include <waiter/process/kid_watch.hpp>
#include <waiter/process/lifespan.hpp>
#include <waiter/process/pool_limits.hpp>
#include <waiter/process/supervisor.hpp>
#include <waiter/process/wait_status.hpp>
#include <waiter/process/wrong_replacement.hpp>
#include <waiter/server/logger.hpp>
#include <waiter/server/make_way.hpp>
#include <waiter/server/obey_watch.hpp>
#include <waiter/system/busy_board.hpp>
#include <waiter/system/fork.hpp>
#include <waiter/system/parent_watch.hpp>
#include <waiter/system/reap.hpp>
#include <waiter/system/signal_handlers.hpp>
#include <waiter/system/signal_mask.hpp>
#include <waiter/system/stop_change.hpp>
#include <waiter/system/title.hpp>
#include <waiter/system/wake_up.hpp>

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waiter {

/// A pool of processes that accept for themselves. The parent keeps the pool at its size and never sees a client.
///
/// A kid that somebody stops (SIGSTOP) is replaced, and killed when it does not continue within half a second: it might hold a client.
class prefork {
 public:
  struct options {
    /// So many kids stand ready; the pool grows by as many again while few of them are idle. 0 means 8. Below 0: its absolute
    /// value, and that of `maxfork` too unless it is given.
    int prefork = 8;
    /// The pool grows no further than this; then clients wait in the kernel's queue. 0 means 1024; below 0 there is no limit of ours.
    int maxfork = 0;
    /// A kid above `prefork` that was idle for this long leaves. Below 1 s means 31 s.
    milliseconds px_idle{31000};
    /// A kid that has had so many clients is replaced; it serves on until another one stands ready in its stead. 0 means never.
    int max_requests = 0;
    /// Each kid's own number is lower by up to this, so that not all are replaced at once. Below 0: by up to a tenth of `max_requests`.
    int max_requests_spread = -1;
    /// A kid that has lived for so long is replaced in the same way.
    milliseconds max_age = never;
    /// Each kid's own time is shorter by up to this. Below 0: by up to a tenth of `max_age`.
    milliseconds max_age_spread{-1};
    /// A client that a kid has for longer than this is reported: on_child_overtime in the kid, when it waits for its client, and a line
    /// in the log. Time in which the parent itself did not run (a suspended machine, a stopped group) does not count.
    milliseconds soft_limit = never;
    /// After this the kid is killed, and replaced.
    milliseconds hard_limit = never;
    /// How long a kid that `reload()` has replaced may take to finish its client; then it is killed, and the client is cut off. Also how
    /// long any other kid that was asked to leave may stay without a client. Above 0; `waiter::never` waits for ever.
    milliseconds drain_limit{30000};
    /// So many generations of kids that `reload()` has replaced may still be leaving; the next one waits until there are fewer. At least 1.
    int max_old_generations = 2;
    /// Fork even while another thread lives in the process. The kid may then use nothing that such a thread may have locked (fork(2)).
    bool allow_threads = false;
  };

  static constexpr std::string_view name = "prefork";

  using runs = hooks<hook::on_server_begin, hook::on_listen_ok, hook::on_accept_error, hook::on_accept_ok, hook::on_fork_ok,
                     hook::on_child_start, hook::on_ssl_error, hook::on_process, hook::on_child_overtime,
                     hook::on_exception, hook::on_close, hook::on_child_exit, hook::on_prefork_child_idle, hook::on_sig_child, hook::on_sig_hup, hook::on_sig_usr1,
                     hook::on_sig_usr2, hook::on_child_sig_hup, hook::on_child_sig_usr1, hook::on_child_sig_usr2, hook::on_reload,
                     hook::on_upgrade_failed, hook::on_server_close>;

  /// Before on_listen_ok: nullopt, or why there can be no kids.
  std::optional<std::string> prepare(const options& settings) {
    if (auto wrong = wrong_replacement(settings.max_requests, settings.max_age, settings.drain_limit, settings.max_old_generations))
      return wrong;
    settings_ = settings;
    watch_ = kid_watch({settings.soft_limit, settings.hard_limit, settings.drain_limit});
    lifespans_ = lifespans({settings.max_requests, settings.max_requests_spread, settings.max_age, settings.max_age_spread});
    limits_ = effective_pool_limits(settings.prefork, settings.maxfork, settings.px_idle);
    limits_.maxfork = std::min(limits_.maxfork, most_places);
    limits_.prefork = std::min(limits_.prefork, limits_.maxfork);
    limits_.old_generations = settings.max_old_generations;
    title_.remember();
    board_.close();
    error_code error;
    board_.open(static_cast<std::size_t>(limits_.most()), error);
    if (!error) parent_.open(error);
    if (!error) bell_.open(error);
    if (error) return "no shared memory and pipes for " + std::to_string(limits_.most()) + " kids: " + error.message();
    return std::nullopt;
  }

  /// The parent's life, from the listening socket to its last kid.
  template <class Host>
  void serve(Host& host) {
    host.template prepare_idle_hook<hook::on_prefork_child_idle>();
    if constexpr (Host::asynchronous) host.doorway().never_wait();
    const system::signal_mask mask;
    host.hold_signals(&mask);
    pool_.emplace(limits_, host.settings().grace);
    while (turn(host)) {
    }
    pool_.reset();
    parent_.close();
    bell_.close();
    host.hold_signals(nullptr);
  }

  census count() const noexcept {
    auto all = board_.count();
    if (!pool_) return all;
    const int kids = pool_->kids().count();
    return {.busy = std::min(all.busy, kids), .kids = kids};
  }
  std::vector<pid_t> kid_pids() const { return pool_ ? pool_->kids().pids() : std::vector<pid_t>(); }
  /// The pool stands ready, the first one or that of the last reload: none of it is on its way to its first accept.
  bool ready() const noexcept {
    if (!pool_ || pool_->awaits_generation()) return false;
    int ready = 0;
    pool_->kids().for_each([&](std::size_t place, const child_table::kid& kid) {
      ready += !pool_->kids().outdated(kid) && board_.is(place) != system::busy_board::state::starting;
    });
    return ready >= limits_.prefork;
  }
  /// In a kid: nobody else has said it within the last second.
  bool first_this_second() noexcept { return board_.first_this_second(); }
  /// In a kid: the parent has a look.
  void call_parent() noexcept { bell_.ring(); }
  /// In a kid: its client is in its handshake for longest, of more than `most`.
  bool gives_way(int most) const noexcept { return board_.gives_way(place_, most); }
  void signal_kids(int signal) noexcept {
    if (!pool_) return;
    pool_->kids().for_each([signal](std::size_t, const child_table::kid& kid) { ::kill(kid.pid, signal); });
    if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGKILL) pool_->all_were_asked();
  }

 private:
  using clock = std::chrono::steady_clock;

  // A place takes 64 bytes of address space, and memory only once it is used.
  static constexpr int most_places = 65536;
  static constexpr int nobody_calls = -1;
  /// A wait that ends so soon is one for scarcity to last; who calls meanwhile because few are idle is not heard.
  static constexpr milliseconds moment{10};

  // Looks, then does what the supervisor says until it says to wait. False when the pool has ended.
  template <class Host>
  bool turn(Host& host) {
    look_around(host);
    if (!host.stopping()) host.mend_door();
    make_way(board_, pool_->kids(), host.most_handshakes());
    board_.wake_at(mark_);
    board_.expect_start(awaits_start_);
    board_.calls(hushed_ ? 1 : 0);
    for (;;) {
      const instant now = clock::now();
      if (host.stopping() && !pool_->stopping()) {
        host.close_door();
        pool_->stop(clock::now());
        watch_.stop();
      }
      if (host.reload()) pool_->reload();
      if (host.hurried()) pool_->hurry(now);
      while (const auto order = watch_.look(pool_->kids(), reports(), now)) obey_watch(host, *order);
      const auto next = pool_->next(reports(), now);
      switch (next.kind) {
        case action::fork: fork_kid(host, next.slot); break;
        case action::ask: ::kill(next.pid, SIGTERM); break;
        case action::kill: ::kill(next.pid, SIGKILL); break;
        case action::finished: return false;
        case action::wait: return wait(host, std::min(next.until, watch_.next_look(now)), now);
      }
    }
  }

  template <class Host>
  bool wait(Host& host, instant until, instant now) {
    const int kids = pool_->kids().count() - pool_->kids().replaced();
    int mark = host.stopping() || kids >= limits_.maxfork ? nobody_calls : low_mark(kids);
    if (watch_.awaits_client()) mark = limits_.most();  // whoever gets a client calls
    const bool hushed = until < now + moment;
    const bool awaits_start = pool_->awaits_start();
    if (mark != mark_ || hushed != hushed_ || awaits_start != awaits_start_) {
      // A kid that became busy, or ready, after the look, and found that it need not call, has to be seen by another look.
      mark_ = mark;
      hushed_ = hushed;
      awaits_start_ = awaits_start;
      return true;
    }
    // The kids empty the queue; when they have done so is seen soon enough.
    if (pool_->stopping() && !host.lock_door()) until = std::min(until, now + moment);
    host.wait(until, bell_.get());
    bell_.clear();
    return true;
  }

  // Signals, and kids that have ended.
  template <class Host>
  void look_around(Host& host) {
    host.run_signal_hooks();
    if (!host.take_kid_has_ended()) return;
    const auto ours = [this](pid_t pid) { return pool_->kids().find(pid).has_value(); };
    while (const auto dead = system::reap_next(ours, [this] { return pool_->kids().pids(); })) {
      const auto place = *pool_->kids().find(dead->pid);
      const auto told = report(place);
      const auto ended = pool_->kid_ended(dead->pid, told, board_.has_served(place), clock::now());
      watch_.kid_gone(place);
      board_.vacate(place);
      if (ended && ended->young) host.log("kid ", dead->pid, " ended before its first client: ", describe_wait_status(dead->status));
      host.template call<hook::on_sig_child>(dead->pid, dead->status);
    }
    host.hooks().reap_orphans(ours);
    std::vector<std::pair<std::size_t, bool>> changed;
    pool_->kids().for_each([&](std::size_t place, const child_table::kid& kid) {
      const auto stopped = system::take_stop_change(kid.pid);
      if (stopped) changed.emplace_back(place, *stopped);
    });
    for (const auto& [place, stopped] : changed) pool_->kid_stopped(place, stopped);
  }

  template <class Host>
  void fork_kid(Host& host, std::size_t place) {
    board_.seat(place);
    const lifespan life = lifespans_.next();
    error_code error;
    const pid_t pid = system::fork_process(settings_.allow_threads, error);
    if (pid == 0) live(host, place, life.clients);
    if (pid > 0) {
      const instant now = clock::now();
      pool_->kid_forked(place, pid, now, later(now, life.age));
      host.template call<hook::on_fork_ok>(pid);
      return;
    }
    board_.vacate(place);
    pool_->fork_failed(clock::now());
    if (fork_failures_.due()) host.log("fork failed: ", error.message());
  }

  template <class Host>
  [[noreturn]] void live(Host& host, std::size_t place, std::uint32_t due_after) {
    constexpr bool ticks = Host::template has<hook::on_prefork_child_idle>;
    place_ = place;
    pool_.reset();
    bell_.only_ring();
    title_.take_over();
    host.become_kid(true);
    host.watch_parent(parent_);
    if (Host::template has<hook::on_child_overtime> && settings_.soft_limit != never) system::signal_handlers::watch_for_overtime();

    const bool timed = settings_.soft_limit != never || settings_.hard_limit != never;
    std::uint32_t clients = 0;
    instant since = clock::now();
    bool stay = host.template call<hook::on_child_start>();
    const bool failed = !stay;
    board_.idle(place);
    if (board_.start_is_expected() || host.manager().is_awaited()) bell_.ring();
    title_.idle(clients);
    if constexpr (Host::asynchronous) {
      prefork_crowd<Host> crowd(host, board_, place, bell_, title_, due_after);
      if (stay) host.template serve_many<hook::on_prefork_child_idle>(crowd);
      stay = false;
    }
    while (stay) {
      auto accepted = host.template next_client<hook::on_prefork_child_idle>([&] {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(clock::now() - since).count();
        title_.idle(clients, clients == 0 ? -seconds : seconds);
      });
      if (!accepted) break;
      if (Host::encrypted)
        board_.greeting(place);
      else if (timed)
        board_.busy(place);
      else
        board_.busy_untimed(place);
      if (board_.must_call() || (host.most_handshakes() > 0 && board_.count_greeting() > host.most_handshakes())) bell_.ring();
      title_.busy(++clients);
      auto client = host.welcome(std::move(*accepted));
      if (!host.greet(client))
        host.part(client);
      else
        stay = host.serve(client, [this, place] {
          if (Host::encrypted) board_.greeted(place);
        });
      board_.served(place);
      if (clients == due_after) {
        board_.due(place);
        bell_.ring();
      }
      // Without an idle hook nothing would wake the kid to bring the seconds up to date.
      if constexpr (ticks) {
        since = clock::now();
        title_.idle(clients, 0);
      } else {
        title_.idle(clients);
      }
    }
    board_.leaving(place);
    host.template call<hook::on_child_exit>();
    host.leave(failed || host.escaped() != nullptr);
  }

  kid_report report(std::size_t place) const {
    using board = system::busy_board;
    const auto is = board_.is(place);
    // Who leaves by itself was ready for so long, which tells whether it was sound.
    const bool ready = is == board::state::idle || is == board::state::leaving;
    const auto without = ready ? activity::idle : activity::starting;
    const bool due = lifespans_.counts_clients() && board_.is_due(place);
    const auto with = is == board::state::open ? activity::open : activity::busy;
    return {.state = board::has_client(is) ? with : without, .since = board_.since(place), .due = due};
  }

  const std::vector<kid_report>& reports() {
    reports_.clear();
    pool_->kids().for_each([this](std::size_t place, const child_table::kid&) {
      reports_.resize(place);
      reports_.push_back(report(place));
    });
    return reports_;
  }

  options settings_;
  pool_limits limits_{};
  kid_watch watch_;
  lifespans lifespans_;
  std::optional<supervisor> pool_;
  std::vector<kid_report> reports_;
  system::busy_board board_;
  system::parent_watch parent_;
  system::wake_up bell_;
  system::title title_;
  once_a_second fork_failures_;
  std::size_t place_ = 0;  // in a kid
  int mark_ = nobody_calls;
  bool hushed_ = false;
  bool awaits_start_ = false;
};

}  // namespace waiter

#endif
