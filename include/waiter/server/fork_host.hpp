#ifndef WAITER_SERVER_FORK_HOST_HPP
#define WAITER_SERVER_FORK_HOST_HPP

#include <waiter/client/connection.hpp>
#include <waiter/client/farewell.hpp>
#include <waiter/contract/transport_policy.hpp>
#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/server/hook_caller.hpp>
#include <waiter/server/logger.hpp>
#include <waiter/server/manager_talk.hpp>
#include <waiter/server/predecessor.hpp>
#include <waiter/server/reception.hpp>
#include <waiter/server/reload_transport.hpp>
#include <waiter/server/say_close.hpp>
#include <waiter/server/successor.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/fork.hpp>
#include <waiter/system/parent_watch.hpp>
#include <waiter/system/signal_mailbox.hpp>
#include <waiter/system/signal_mask.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waiter {

/// The server as its fork policy sees it: what was asked for, the hooks, the signals, and the life of one client.
///
/// A policy decides which process does what; everything that is to be done stands here, once. There is one host in a server,
/// and a kid goes on with its copy. Nothing here throws: what a hook throws goes to on_exception.
template <class Handler, class ForkPolicy, class TransportPolicy>
class fork_host : public reception<fork_host<Handler, ForkPolicy, TransportPolicy>> {
 public:
  using client_type = typename TransportPolicy::client_type;
  using options = basic_options<ForkPolicy, TransportPolicy>;

  /// Clients have a handshake to do before they can be served.
  static constexpr bool encrypted = TransportPolicy::encrypted;
  /// Clients are served by coroutines, many in a process.
  static constexpr bool asynchronous = contract::is_asynchronous<TransportPolicy>;

  fork_host(Handler& handler, ForkPolicy& policy, TransportPolicy& transport, const options& settings) noexcept
      : reception<fork_host>(settings.upgrade.within),
        hooks_(handler, settings.logger, settings.debug),
        policy_(policy),
        transport_(transport),
        settings_(settings),
        timeout_(effective_timeout(settings.timeout)) {}
  fork_host(const fork_host&) = delete;
  fork_host& operator=(const fork_host&) = delete;

  // ---- what was asked for
  const options& settings() const noexcept { return settings_; }
  milliseconds timeout() const noexcept { return timeout_; }

  template <class... Parts>
  void log(const Parts&... parts) noexcept {
    log_parts(settings_.logger, parts...);
  }
  template <class... Parts>
  void log_debug(const Parts&... parts) noexcept {
    if (settings_.debug) log_parts(settings_.logger, parts...);
  }

  // ---- hooks
  /// The handler has this hook. Known to the compiler, so what nobody listens for need not be done.
  template <hook Hook>
  static constexpr bool has = hook_caller<Handler, client_type>::template has<Hook>;

  /// Calls a hook, if the handler has it, with the signals let in. False when it threw.
  template <hook Hook, class... Args>
  bool call(Args&&... args) noexcept {
    return hooks_.template call<Hook>(std::forward<Args>(args)...);
  }

  /// For hooks that are coroutines: what such a one returns, and where what it throws goes.
  hook_caller<Handler, client_type>& hooks() noexcept { return hooks_; }

  /// A hook threw in this process since it began, and it was more than a client who went away.
  bool threw() const noexcept { return hooks_.threw(); }
  /// The listening socket failed for good.
  bool unusable() const noexcept { return unusable_; }
  /// What on_exception threw on: it leaves run() when the server has stopped.
  std::exception_ptr escaped() const noexcept { return hooks_.escaped(); }

  // ---- stopping
  /// Asked to end: the server, or in a kid this kid.
  bool stopping() const noexcept { return stopping_ || hooks_.escaped(); }
  /// The same as a handler wants to know it: also in a kid with one client, which ends after it anyway, and at once when the signal is here.
  bool asked_to_stop() const noexcept {
    using system::notice;
    const auto& box = system::mailbox;
    return stopping() || told_ || box.holds(notice::term) || box.holds(notice::interrupt) || box.holds(notice::quit);
  }
  /// QUIT: the grace of the clients in hand is over.
  bool hurried() const noexcept { return hurried_; }
  /// The server stops, and the grace time is over.
  bool out_of_time() noexcept {
    if (stopping()) press();
    return clock::now() >= grace_ends_;
  }
  /// In a kid that takes one client only there is no main loop to break.
  void stop() noexcept {
    if (!is_kid_ || accepts_) stopping_ = true;
    system::mailbox.ring();
  }

  // ---- reloading
  /// Asks for a reload. In a kid nothing.
  void want_reload() noexcept { reload_wanted_ = !is_kid_; }

  /// Does what was asked for, in the listening process and where it has no client in hand: on_reload, and then the transport reads its
  /// files anew. True when that was done, so that kids have to be made that know of it; false when nobody asked, or the server stops, or
  /// on_reload threw. What is asked for in on_reload is the same reload.
  bool reload() noexcept {
    if (!reload_wanted_ || stopping()) return false;
    manager_.reloading();
    const bool done = call<hook::on_reload>();
    reload_wanted_ = false;
    if (done) reload_transport(*this, transport_);
    if constexpr (!requires { policy_.ready(); }) tell_manager();
    return done;
  }

  // ---- the service manager
  /// What is told to the service manager that started the server, if there is one; in kids nothing.
  manager_talk& manager() noexcept { return manager_; }

  /// Tells it what is due, and when to come again. The waits of the host do so.
  instant tell_manager() noexcept {
    if (!manager_.is_on()) return instant::max();
    return manager_.turn(policy_.count(), ready_to_serve() && !stopping(), clock::now());
  }

  // ---- signals
  /// Keeps the signals out of this process but for its waits and hooks; before `mask` dies, null. What `wait` needs.
  void hold_signals(const system::signal_mask* mask) noexcept { hooks_.lift(mask); }

  bool may_run_signal_hooks() const noexcept { return !in_signal_hook_; }

  /// Runs the hooks of what has arrived. Called in the loops, and by a client's waits.
  void run_signal_hooks() noexcept {
    if (!may_run_signal_hooks()) return;
    in_signal_hook_ = true;
    auto& box = system::mailbox;
    while (box.any()) {
      box.look();
      using system::notice;
      const bool quit = box.take(notice::quit) != 0;
      if (box.take(notice::term) + box.take(notice::interrupt) != 0 || quit) told_ = true, stop(), stopping_ = stopping_ || asynchronous;  // a coroutine can be told
      if (quit) hurried_ = true;
      if (stopping()) press();
      if (box.take(notice::child) != 0) kid_has_ended_ = true;
      if (box.take(notice::parent_gone) != 0 && parent_ != nullptr && !parent_->parent_lives()) stop();
      if (box.take(notice::give_way) != 0 && shaking_hands_ && must_give_way()) give_way();
      const unsigned hup = box.take(notice::hup), usr1 = box.take(notice::usr1), usr2 = box.take(notice::usr2);
      if (is_kid_) {
        repeat<hook::on_child_overtime>(box.take(notice::overtime), 0);
        repeat<hook::on_child_sig_hup>(hup, 0);
        repeat<hook::on_child_sig_usr1>(usr1, 0);
        repeat<hook::on_child_sig_usr2>(usr2, 0);
      } else {
        repeat<hook::on_sig_hup>(hup, 0);
        repeat<hook::on_sig_usr1>(usr1, SIGUSR1);
        repeat<hook::on_sig_usr2>(usr2, SIGUSR2);
      }
    }
    in_signal_hook_ = false;
  }

  /// True once after SIGCHLD: then the policy looks which of its kids have ended.
  bool take_kid_has_ended() noexcept { return std::exchange(kid_has_ended_, false); }
  /// In a kid: it leaves, after its client, when `parent` says that nobody looks after it any more.
  void watch_parent(system::parent_watch& parent) noexcept {
    parent_ = &parent;
    parent.watch();
    if (!parent.parent_lives()) stop();
  }

  // ---- the life of a client
  client_type welcome(system::accepted&& from) noexcept {
    client_ = from.socket.get();
    return transport_.welcome(connection(std::move(from), settings_.io_timeout, system::safe_point(*this)));
  }

  /// on_accept_ok.
  bool greet(client_type& client) noexcept {
    const bool greeted = call<hook::on_accept_ok>(client);
    if constexpr (asynchronous) client_ = -1;  // it is one of many
    return greeted;
  }

  /// The handshake, on_process and on_close, and the client is closed. False when on_process says that it was the kid's last.
  bool serve(client_type& client) noexcept {
    return serve(client, [] {});
  }
  /// The same; `greeted()` is called when the handshake is over, whether it succeeded or not.
  template <class Greeted>
  bool serve(client_type& client, Greeted&& greeted) noexcept {
    client_ = client.native_handle();
    if constexpr (asynchronous) return transport_.serve_one(*this, client, greeted);
    else return serve_at_once(client, greeted);
  }

  /// Where clients are served by coroutines: takes who comes, and serves them all, until the process is to stop and nobody is left.
  /// \param watch  a `many_clients`, which hears of it
  template <hook Idle, class Watch>
  void serve_many(Watch& watch) noexcept {
    transport_.template serve_many<Idle>(*this, watch);
  }

  /// So many clients may be in their handshake at once; 0: there is no limit, or no handshake.
  int most_handshakes() const noexcept { return encrypted ? std::max(settings_.max_handshakes, 0) : 0; }

  /// on_close, and the client is closed in order. One that was told nothing yet is not `awaited`: no reset can overtake anything.
  void part(client_type& client, bool awaited = true) noexcept {
    say_close(*this, transport_, client);
    if (client.is_open()) {
      if (!awaited || client.at_end() || settings_.linger <= milliseconds::zero() || !still_speaks(client, this->silence_))
        client.close();
      else if (is_kid_)
        drain(system::descriptor(client.take_socket()), settings_.linger);
      else
        linger(client);
    }
    client_ = -1;
  }

  /// on_maxforked and on_close; what the hook wrote reaches the client, and this process does not wait for it.
  void refuse(client_type& client) noexcept {
    call<hook::on_maxforked>(client);
    say_close(*this, transport_, client);
    linger(client);
    client_ = -1;
  }

  /// This process has no more to do with the client: another one serves it.
  void hand_over(client_type& client) noexcept {
    client.close();
    client_ = -1;
  }

  // ---- which process this is
  bool is_kid() const noexcept { return is_kid_; }
  /// What the handler is told: in nofork the one process is the child too, from on_child_start to on_child_exit.
  bool is_child() const noexcept { return is_kid_ || plays_child_; }
  void play_child(bool plays) noexcept { plays_child_ = plays; }
  int client_descriptor() const noexcept { return client_; }

  /// The first thing in a fresh kid: it forgets what was its parent's, and lets the signals in.
  /// \param accepts  it takes clients itself; one that does not also closes the listening socket
  void become_kid(bool accepts) noexcept {
    is_kid_ = true;
    accepts_ = accepts;
    stopping_ = stopping_ && accepts;
    grace_ends_ = instant::max();
    told_ = hurried_ = kid_has_ended_ = in_signal_hook_ = reload_wanted_ = false;
    hooks_.forgive();
    system::mailbox.forget();
    doorway_.become_kid(accepts);
    this->forget_generations();
    manager_.become_kid();
    if (const auto* mask = hooks_.lifted()) mask->open();
    hooks_.lift(nullptr);
  }

  /// Ends the kid: 0, or 1 when a hook threw and that is to show.
  [[noreturn]] void leave(bool failed) noexcept { system::leave_process(failed ? 1 : 0); }

 private:
  friend reception<fork_host>;
  friend successor;
  friend predecessor;
  using reception<fork_host>::doorway_;
  using clock = std::chrono::steady_clock;

  // What the reception asks of its host.
  ForkPolicy& policy() noexcept { return policy_; }
  const system::signal_mask* held_signals() const noexcept { return hooks_.lifted(); }
  void give_up() noexcept { unusable_ = stopping_ = true; }
  void door_is_spoilt() noexcept {
    if (!is_kid_) return this->mend_door();
    if constexpr (requires { policy_.call_parent(); }) policy_.call_parent();
  }

  // Nothing when the client can be served; otherwise what went wrong.
  std::optional<std::string> shake_hands(client_type& client) noexcept {
    const std::string_view gave_way = "the handshake gave way to that of another client: max_handshakes are under way";
    if (must_give_way()) {
      gave_way_ = true;
      return std::string(gave_way);
    }
    shaking_hands_ = true;
    auto reason = transport_.handshake(client);
    shaking_hands_ = false;
    if (reason && gave_way_) reason = gave_way;
    gave_way_ = gave_way_ && reason;
    return reason;
  }

  // The parent's word may come late, so the kid looks itself.
  bool must_give_way() const noexcept {
    if constexpr (requires { policy_.gives_way(0); }) return is_kid_ && most_handshakes() > 0 && policy_.gives_way(most_handshakes());
    return false;
  }
  void give_way() noexcept {
    gave_way_ = true;
    in_hand_->expires_within(milliseconds::zero());
  }

  // What those before and after it ask.
  bool ready_to_serve() noexcept {
    if constexpr (requires { policy_.ready(); }) return policy_.ready();
    return true;
  }
  void give_way(const std::vector<int>& sockets) noexcept {
    this->leave_sockets(sockets);
    stop();
  }
  void stay() noexcept { this->take_back_sockets(); }

  template <class Greeted>
  bool serve_at_once(client_type& client, Greeted& greeted) noexcept {
    bool stay = true;
    in_hand_ = &client;
    if (stopping()) press();
    const auto reason = shake_hands(client);
    greeted();
    if (reason) {
      log_debug("handshake with ", client.peer(), " failed: ", *reason);
      call<hook::on_ssl_error>(std::string_view(*reason));
    } else {
      if (settings_.client_timeout != never) client.expires_within(settings_.client_timeout);
      if (stopping()) press();
      if (settings_.min_rate != 0) client.min_rate(settings_.min_rate);
      stay = hooks_.process(client);
    }
    in_hand_ = nullptr;
    part(client, !std::exchange(gave_way_, false));
    return stay;
  }

  // A process that has others to look after does not wait for one that is leaving.
  void linger(client_type& client) noexcept { doorway_.see_out(client.take_socket(), settings_.linger); }

  template <hook Hook>
  void repeat(unsigned times, int send_on) noexcept {
    for (; times != 0; --times) {
      call<Hook>();
      if (send_on != 0 && settings_.prop_sigusr) policy_.signal_kids(send_on);
    }
  }

  // Where the server itself has a client in hand there is nobody to kill when the grace is over, so the client's time ends with it.
  void press() noexcept {
    if (is_kid_) return;
    manager_.stopping();
    if (grace_ends_ == instant::max()) grace_ends_ = later(clock::now(), settings_.grace);
    if (hurried_) grace_ends_ = std::min(grace_ends_, clock::now());
    if (in_hand_ != nullptr && grace_ends_ != instant::max())
      in_hand_->expires_within(std::chrono::ceil<milliseconds>(grace_ends_ - clock::now()));
  }

  hook_caller<Handler, client_type> hooks_;
  ForkPolicy& policy_;
  TransportPolicy& transport_;
  const options& settings_;
  const milliseconds timeout_;
  manager_talk manager_;
  const system::parent_watch* parent_ = nullptr;
  instant grace_ends_ = instant::max();  // known once the server stops; in a kid the parent's patience decides
  client_type* in_hand_ = nullptr;
  int client_ = -1;
  bool is_kid_ = false;
  bool accepts_ = true;
  bool plays_child_ = false;
  bool stopping_ = false;
  bool told_ = false;
  bool hurried_ = false;
  bool unusable_ = false;
  bool in_signal_hook_ = false;
  bool shaking_hands_ = false;
  bool gave_way_ = false;
  bool kid_has_ended_ = false;
  bool reload_wanted_ = false;
};

}  // namespace waiter

#endif
