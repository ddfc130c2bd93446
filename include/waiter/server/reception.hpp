#ifndef WAITER_SERVER_RECEPTION_HPP
#define WAITER_SERVER_RECEPTION_HPP

#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/options.hpp>
#include <waiter/process/accept_failure.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/silence.hpp>
#include <waiter/server/doorway.hpp>
#include <waiter/server/logger.hpp>
#include <waiter/server/predecessor.hpp>
#include <waiter/server/successor.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/event_wait.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/program_start.hpp>
#include <waiter/system/signal_handlers.hpp>
#include <waiter/system/signal_mailbox.hpp>
#include <waiter/system/signal_mask.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waiter {

/// The part of a `fork_host` that waits: for the next client, where this process accepts, and for signals, where it does not.
///
/// `Host` derives from it and has the hooks, the signals and the log. Nothing here throws.
template <class Host>
class reception {
 public:
  /// The listening socket; the first one where there are several.
  system::listener& listener() noexcept { return doorway_.listener(); }
  const system::listener& listener() const noexcept { return doorway_.listener(); }
  /// All listening sockets, and what becomes of them.
  waiter::doorway& doorway() noexcept { return doorway_; }
  const waiter::doorway& doorway() const noexcept { return doorway_; }

  /// Makes the listening socket wake this server's processes for `Idle`, if the handler has that hook. Before the first fork.
  template <hook Idle>
  void prepare_idle_hook() noexcept {
    if (!doorway_.never_waits()) listener().accept_timeout(Host::template has<Idle> ? host().timeout() : never);
  }

  /// Waits for the next client, however long that takes; runs the hooks of signals, of failed accepts and of idleness meanwhile.
  /// `at_idle()` is called before `Idle`. Nothing when the process is to stop.
  template <hook Idle, class AtIdle>
  [[gnu::always_inline]] std::optional<system::accepted> next_client(AtIdle&& at_idle) noexcept {
    const instant idle_at = Host::template has<Idle> ? clock::now() + host().timeout() : instant::max();
    std::optional<system::accepted> client;
    error_code error;
    if (undisturbed() && doorway_.accept(client.emplace(), error)) [[likely]] return client;
    client.reset();
    await<Idle>(client, at_idle, idle_at, error);
    return client;
  }

  /// Takes the client that `wait_readable` found. Errors: those of accept(2), EAGAIN when another process was faster.
  std::optional<system::accepted> accept(error_code& error) noexcept { return doorway_.accept(error); }

  /// In the process that owns the listening sockets: makes them listen again, if a kid has spoilt them. Stops the server when that fails.
  void mend_door() noexcept {
    doorway_.for_each([this](system::listener& one) {
      error_code error;
      if (!one.mend(error)) return;
      if (mended_.due())
        host().log("somebody has shut down the listening socket, or set it to O_NONBLOCK", error ? "; it is lost: " + error.message() : "; it is mended");
      if (error) host().give_up();
    });
  }

  /// The server stops: nobody new is let in, and those who are in the kernel's queue by now are still served (`last_client`). Where
  /// the system cannot keep others out, the queue is emptied as it stands.
  void close_door() noexcept {
    successor_.stop(host());
    predecessor_.settle(host());
    error_code error;
    doorway_.close(error);
    if (error) host().log("stop: clients who connect in the last moment are reset, since new ones cannot be kept out: ", error.message());
    host().press();
  }

  /// To be called after `close_door` until it is true: nobody is in the queue any more, and who connects now is refused.
  bool lock_door() noexcept { return doorway_.lock(); }

  /// One of those who were in the queue when the door was closed; nothing when it is empty, or the door is still open. A kid that
  /// leaves before the door is closed takes the client who may have woken it.
  std::optional<system::accepted> last_client() noexcept {
    const bool closed = doorway_.is_closed();
    if (!closed && !host().is_kid()) return std::nullopt;
    while (!host().out_of_time()) {
      error_code error;
      if (auto client = closed ? doorway_.accept_last(error) : doorway_.overlooked(error)) return client;
      if (error == boost::system::errc::interrupted)
        host().run_signal_hooks();
      else if (after_accept_failed(error.value()) != accept_advice::again)
        break;
    }
    return std::nullopt;
  }

  /// Waits until somebody connects, `until` is reached, or a signal arrives; meanwhile looks after the refused.
  /// True when an accept will find somebody.
  bool wait_readable(instant until) noexcept {
    until = std::min(until, host().tell_manager());
    if (doorway_.attends() && !attend_to(until)) return false;
    bool somebody = false;
    if (const auto* mask = host().held_signals()) {
      somebody = doorway_.wait(until, mask->waiting(), {successor_.descriptor(), predecessor_.descriptor()});
    } else if (const auto found = doorway_.wait_exclusively(until)) {
      return *found;
    } else {
      const system::signal_mask for_now;
      somebody = doorway_.wait(until, for_now.waiting(), {successor_.descriptor(), predecessor_.descriptor()});
    }
    return somebody;
  }

  /// Waits for a signal, or for `until`; `also` is a descriptor that ends the wait too. The signals have to be held.
  void wait(instant until, int also = -1) noexcept {
    until = std::min(until, host().tell_manager());
    if (doorway_.attends() && !attend_to(until)) return;
    pollfd several[] = {{also, POLLIN, 0}, {successor_.descriptor(), POLLIN, 0}, {predecessor_.descriptor(), POLLIN, 0}};
    if (!system::mailbox.any()) system::wait_for_event(several, until, host().held_signals()->waiting());
  }

  // ---- upgrades
  /// Asks for a program that takes this server's place (`successor::request`). It is started at the next wait.
  void request_successor(successor::starter start, system::program_start what) {
    std::optional<std::string> obstacle;
    if (host().stopping()) obstacle = "the server stops";
    if (::getpid() == 1) obstacle = "as process 1 it cannot leave: that would be the end of its container";
    if (predecessor_.lives()) obstacle = "the server whose place this one has taken is not gone yet";
    what.in_new_process = [signals = signals_] { signals->give_back(); };
    successor_.request(start, std::move(what), std::move(obstacle));
    doorway_.attend(true);
  }
  /// What a program gets back that takes this server's place.
  void restore_in_programs(system::signal_handlers& signals) noexcept { signals_ = &signals; }
  /// The server whose place this one takes, if it was started by one.
  waiter::predecessor& predecessor() noexcept { return predecessor_; }
  /// Looks whether there is one.
  void look_for_predecessor() {
    predecessor_.look();
    if (predecessor_.busy()) doorway_.attend(true);
  }

  /// Tells of a failed accept, and stays away from the socket for a while when trying again at once would spin.
  void accept_failed(const error_code& error) noexcept {
    const auto advice = after_accept_failed(error.value());
    if (accept_failures_.due(host().policy())) host().log("accept failed: ", error.message());
    host().template call<hook::on_accept_error>(error);
    if (advice == accept_advice::give_up) host().give_up();
    if (advice == accept_advice::mend) host().door_is_spoilt();
    if (advice != accept_advice::again) doorway_.pause(std::chrono::milliseconds(100));
  }

  /// Closes the listening sockets, and stays with the refused for a moment, so that they can read what they were told.
  void finish() noexcept {
    successor_.stop(host());
    doorway_.finish();
  }

 protected:
  /// \param upgrade_within  how long a new program may take until it serves
  explicit reception(milliseconds upgrade_within) noexcept : successor_(upgrade_within) {}
  ~reception() = default;

  // Another program serves on these sockets from now on; the rest is closed in order.
  void leave_sockets(const std::vector<int>& taken) noexcept {
    doorway_.for_each([&taken](system::listener& one) {
      if (one && std::find(taken.begin(), taken.end(), one.get()) != taken.end()) one.share();
    });
  }
  // After it had them for a while.
  void take_back_sockets() noexcept {
    doorway_.for_each([](system::listener& one) {
      if (one && !one.is_shared()) one.take_back();
    });
  }
  // In a kid.
  void forget_generations() noexcept {
    successor_.forget();
    predecessor_.forget();
  }

  waiter::doorway doorway_;
  silence silence_;  // of the clients that this process has finished with

 private:
  using clock = std::chrono::steady_clock;

  // False when that has brought the server to an end; otherwise `until` may come sooner.
  bool attend_to(instant& until) noexcept {
    const bool stopping = host().stopping();
    if (successor_.busy()) until = std::min(until, successor_.work(host()));
    if (predecessor_.busy()) until = std::min(until, predecessor_.work(host()));
    doorway_.attend(successor_.busy() || predecessor_.busy());
    return stopping || !host().stopping();
  }

  Host& host() noexcept { return static_cast<Host&>(*this); }

  // The socket does not wait, though nobody has asked this process to stop: a closed door would be followed by that. Until its owner has
  // mended it, somebody else's call does the waiting.
  void wait_at_spoilt_door() noexcept {
    host().door_is_spoilt();
    wait_readable(clock::now() + std::chrono::milliseconds(100));
  }

  bool undisturbed() noexcept { return !system::mailbox.any() && !host().reload_wanted_ && !host().stopping() && !doorway_.wants_wait(); }

  // With the error of the first accept, if there was one.
  template <hook Idle, class AtIdle>
  [[gnu::noinline]] void await(std::optional<system::accepted>& client, AtIdle& at_idle, instant idle_at, error_code error) noexcept {
    constexpr bool ticks = Host::template has<Idle>;
    // The kernel's own timer runs from the beginning of each accept, so after a signal the rest is waited for with ours.
    bool kernel_keeps_time = true;
    const auto idle = [&] {
      at_idle();
      host().template call<Idle>();
      idle_at = clock::now() + host().timeout();
      kernel_keeps_time = true;
    };
    for (;;) {
      if (error == boost::system::errc::interrupted)
        kernel_keeps_time = false;
      else if (error == boost::system::errc::timed_out)
        idle();
      else if (error && doorway_.is_closed()) {
        client = last_client();
        return;
      } else if (error && error != boost::system::errc::resource_unavailable_try_again)
        pause_after(error);
      else if (error && doorway_.never_waits()) {
        // another process was faster
      } else if (error && listener().is_shared()) {
        // Somebody else lets it not wait, or no longer than he likes.
        kernel_keeps_time = false;
        if (!listener().blocks()) doorway_.never_wait();
      } else if (error) {
        wait_at_spoilt_door();
      }
      error.clear();
      if (system::mailbox.any()) host().run_signal_hooks();
      if constexpr (requires { host().policy().child_has_ended(host()); })
        if (host().take_kid_has_ended()) host().policy().child_has_ended(host());
      host().reload();
      if (host().stopping()) {
        client = last_client();
        return;
      }
      if ((ticks && !kernel_keeps_time) || doorway_.wants_wait()) {
        if (!wait_readable(idle_at)) {
          if (clock::now() >= idle_at) idle();
          continue;
        }
      }
      client = doorway_.accept(error);
      if (client) return;
    }
  }

  void pause_after(const error_code& error) noexcept {
    accept_failed(error);
    while (!host().stopping() && clock::now() < doorway_.paused_until()) {
      wait_readable(doorway_.paused_until());
      if (system::mailbox.any()) host().run_signal_hooks();
    }
  }

  once_a_second accept_failures_;
  once_a_second mended_;
  waiter::predecessor predecessor_;
  waiter::successor successor_;
  system::signal_handlers* signals_ = nullptr;
};

}  // namespace waiter

#endif
