#ifndef WAITER_SERVER_EVENT_LOOP_HPP
#define WAITER_SERVER_EVENT_LOOP_HPP

#include <waiter/client/async_loop.hpp>
#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/options.hpp>
#include <waiter/process/accept_failure.hpp>
#include <waiter/process/door_turn.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/server/guest.hpp>
#include <waiter/server/loop_doors.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/signal_mailbox.hpp>
#include <waiter/system/wake_up.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace waiter {

/// Serves many clients in one process, on an event loop of its own: accepts at its turn, ends all at a stop, and lets the hooks of
/// signals run between two turns of the loop, where no other hook runs.
///
/// \tparam Watch  a `many_clients`, or what derives from it: the fork policy's
template <class Host, class Transport, class Watch>
class event_loop {
 public:
  using client_type = typename Host::client_type;

  /// on_close may be a coroutine, or none.
  static constexpr bool closes_in_coroutine =
      !std::is_void_v<decltype(std::declval<Host&>().hooks().template invoke<hook::on_close>(std::declval<client_type&>()))>;

  /// \param most  clients at once
  event_loop(Host& host, Transport& transport, Watch& watch, int most)
      : host_(host), transport_(transport), watch_(watch), most_(most) {}
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  ~event_loop() { system::mailbox.ring(-1); }

  /// Clients who come, until the process is to stop and nobody is left.
  template <hook Idle>
  void serve_many() {
    if (!begin()) return;
    host_.doorway().never_wait();
    if (Host::template has<Idle>) idle_.emplace(loop_->executor());
    at_idle_ = [](event_loop& loop) { loop.template be_idle<Idle>(); };
    doors_.emplace(loop_->executor(), host_.doorway());
    counted(0);
    take_clients();
    run();
  }

  /// One client, whom this process was given.
  void serve_one(client_type& client) {
    if (!begin()) return;
    add(client).serve();
    run();
  }

  /// on_close where no loop runs: a coroutine gets one, for a short time.
  void say_close(client_type& client) {
    if constexpr (!closes_in_coroutine) {
      host_.template call<hook::on_close>(client);
    } else if (begin()) {
      add(client).only_close();
      loop_->context().run_for(longest_goodbye);
      abandon();
    }
  }

  // ---- for the guests

  Host& host() noexcept { return host_; }
  Transport& transport() noexcept { return transport_; }
  Watch& watch() noexcept { return watch_; }
  async_loop& loop() noexcept { return *loop_; }

  /// With more than `max_handshakes`, in all processes, the one that has been at it for longest in this one gives way.
  void handshake_begins(guest<event_loop>& one) {
    if constexpr (!Host::encrypted) return;
    handshakes_.push_back(&one);
    tell();
    const int most = host_.most_handshakes();
    if (most <= 0 || handshakes_.size() < 2 || watch_.in_handshake() <= most) return;
    auto* const oldest = handshakes_.front();
    handshake_ends(*oldest);  // it is not asked twice
    oldest->give_way();
  }
  void handshake_ends(guest<event_loop>& one) noexcept {
    if constexpr (!Host::encrypted) return;
    std::erase(handshakes_, &one);
    tell();
  }

  /// It has ended, and nothing of it is under way.
  void remove(guest<event_loop>& one) {
    guests_.erase(one.place);
    counted(-1);
    if (asked_)
      end_if_done();
    else if (shut_ && count_ < most_)
      take_clients();
  }

 private:
  using clock = async_loop::clock;

  /// So long a process that has others to look after stands still for the coroutine of one who is refused.
  static constexpr milliseconds longest_goodbye{250};
  static constexpr milliseconds accept_pause{100};
  static constexpr milliseconds longest_last_words{500};

  bool begin() {
    error_code error;
    try {
      loop_.emplace();
      bell_.open(error);
      if (!error) ear_.emplace(loop_->executor(), bell_.get());
    } catch (const system_error& failure) {
      error = failure.code();
    }
    if (error) {
      host_.log("no event loop: ", error.message());
      host_.stop();
      return false;
    }
    system::mailbox.ring(bell_.ringing_end());
    listen();
    // What arrived before it could ring.
    boost::asio::post(loop_->executor(), [this] { look_around(); });
    return true;
  }

  void listen() {
    ear_->async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      if (error) return;
      bell_.clear();
      look_around();
      listen();
    });
  }

  void look_around() {
    if (system::mailbox.any()) host_.run_signal_hooks();
    if (host_.stopping()) stop();
  }

  void run() {
    for (;;) {
      try {
        loop_->context().run();
        break;
      } catch (...) {
        host_.hooks().caught(hook::on_process);  // a callback of the user's own, on this loop
      }
      if (host_.stopping()) stop();
    }
    abandon();
  }

  // Destroys whatever is still waited for; then those are closed whose coroutines were in it.
  void abandon() {
    system::mailbox.ring(-1);
    if (doors_) doors_->leave();
    if (ear_) ear_->release();
    loop_->end();
    std::optional<async_loop> last;
    for (auto& one : guests_) {
      if (!one.abandon()) continue;
      if constexpr (!closes_in_coroutine) {
        host_.template call<hook::on_close>(one.client());
      } else {
        if (!last) last.emplace();
        one.client().move_to(*last);
        spawn_close(*last, one.client());
      }
    }
    if (last) {
      last->context().run_for(longest_goodbye);
      last->end();
    }
    for (; !guests_.empty(); counted(-1)) {
      watch_.ends();
      guests_.pop_front();
    }
    doors_.reset();
    ear_.reset();
    idle_.reset();
    pause_.reset();
    grace_.reset();
    loop_.reset();
  }

  void spawn_close(async_loop& last, client_type& client) {
    try {
      boost::asio::co_spawn(last.executor(), host_.hooks().template invoke<hook::on_close>(client), [](const std::exception_ptr&) {});
    } catch (...) {
      host_.hooks().caught(hook::on_close);
    }
  }

  template <class... Args>
  guest<event_loop>& add(Args&... args) {
    auto& one = guests_.emplace_front(*this, args...);
    one.place = guests_.begin();
    counted(1);
    return one;
  }

  void counted(int change) noexcept {
    count_ += change;
    tell();
    if (idle_) {
      if (count_ == 0)
        at_idle_(*this);
      else
        idle_->cancel();
    }
  }

  void tell() noexcept { watch_.count(count_, static_cast<int>(handshakes_.size()), count_ < most_ && !asked_); }

  // Without a client for `timeout`, again and again.
  template <hook Idle>
  void be_idle() {
    if constexpr (Host::template has<Idle>) {
      if (asked_) return;
      idle_->expires_after(host_.timeout());
      idle_->async_wait([this](const error_code& cancelled) {
        if (cancelled || count_ != 0) return;
        watch_.idle();
        host_.template call<Idle>();
        if (host_.stopping()) return stop();
        be_idle<Idle>();
      });
    }
  }

  // ---- the door

  // Takes whom it may, and waits for the next.
  void take_clients(bool patient = false) {
    shut_ = false;
    for (int taken = 0; taken < (patient ? most_after_patience : most_at_once); ++taken) {
      if (asked_ && (!host_.doorway().is_closed() || host_.out_of_time())) return shut_door();
      const auto turn = turn_at_door(count_, most_, watch_.all());
      if (turn == door_turn::full) return shut_door();
      if (turn == door_turn::yield && !patient && !asked_) return wait(door_patience, true);
      error_code error;
      auto accepted = asked_ ? host_.doorway().accept_last(error) : doors_->accept(error);
      if (accepted)
        greet(*accepted);
      else if (error == boost::system::errc::interrupted)
        look_around();
      else if (error == boost::system::errc::resource_unavailable_try_again || error == boost::system::errc::timed_out)
        return asked_ ? shut_door() : wait_at_doors();
      else if (asked_)
        return shut_door();
      else if (!take_failure(error))
        return;
      if (!loop_ || shut_) return;
    }
    // Those who are there get their turn first.
    boost::asio::post(loop_->executor(), [this] { take_clients(); });
  }

  void greet(system::accepted& accepted) {
    try {
      add(accepted).greet();
    } catch (...) {
      host_.hooks().caught(hook::on_accept_ok);  // no memory: the socket is closed
    }
  }

  // False when the door is left alone for a while, or for good.
  bool take_failure(const error_code& error) {
    const auto advice = after_accept_failed(error.value());
    host_.accept_failed(error);
    if (host_.stopping()) {
      stop();
      return false;
    }
    if (advice == accept_advice::again) return true;
    doors_->leave();
    wait(accept_pause, false);
    return false;
  }

  void wait_at_doors() {
    const bool waits = doors_->wait([this] {
      if (!shut_) take_clients();
    });
    if (!waits) wait(accept_pause, false);
  }

  // Whoever is full, or leaves, is not woken for those who come.
  void shut_door() {
    shut_ = true;
    if (doors_) doors_->leave();
    end_if_done();
  }

  void wait(milliseconds time, bool patient) {
    if (!pause_) pause_.emplace(loop_->executor());
    pause_->expires_after(time);
    pause_->async_wait([this, patient](const error_code& cancelled) {
      if (!cancelled && !shut_) take_clients(patient);
    });
  }

  // ---- the end

  // Asked to end: clients in hand, and those in the queue of a door that is closed, have `grace`.
  void stop() {
    if (std::exchange(asked_, true)) {
      if (host_.hurried()) end_all();
      return end_if_done();
    }
    watch_.stops();
    loop_->stop();
    if (idle_) idle_->cancel();
    if (pause_) pause_->cancel();
    tell();
    const auto grace = host_.settings().grace;
    if (host_.hurried())
      end_all();
    else if (grace != never)
      end_after(host_.is_kid() ? grace - last_words() : grace);
    if (!doors_) return;
    doors_->leave();
    boost::asio::post(loop_->executor(), [this] { take_clients(); });
  }

  // A kid is done with them before its parent's patience ends, so that on_close runs.
  milliseconds last_words() const noexcept { return std::min(host_.settings().grace / 4, longest_last_words); }

  void end_after(milliseconds time) {
    grace_.emplace(loop_->executor());
    grace_->expires_at(later(clock::now(), time));
    grace_->async_wait([this](const error_code& cancelled) {
      if (!cancelled) end_all();
    });
  }

  // The time of all is over. Who does not end by itself is abandoned.
  void end_all() {
    if (std::exchange(over_, true)) return;
    shut_door();
    // A copy, since whoever lingers ends here and now.
    std::vector<guest<event_loop>*> all;
    for (auto& one : guests_) all.push_back(&one);
    for (auto* one : all) one->end();
    grace_.emplace(loop_->executor());
    grace_->expires_after(last_words() / 2);
    grace_->async_wait([this](const error_code& cancelled) {
      if (!cancelled) loop_->context().stop();
    });
  }

  void end_if_done() {
    if (count_ == 0 && (!doors_ || (asked_ && shut_))) loop_->context().stop();
  }

  Host& host_;
  Transport& transport_;
  Watch& watch_;
  const int most_;
  std::optional<async_loop> loop_;
  system::wake_up bell_;
  std::optional<boost::asio::posix::stream_descriptor> ear_;
  std::optional<loop_doors> doors_;
  std::optional<boost::asio::steady_timer> idle_;
  std::optional<boost::asio::steady_timer> pause_;
  std::optional<boost::asio::steady_timer> grace_;
  void (*at_idle_)(event_loop&) = nullptr;
  std::list<guest<event_loop>> guests_;
  std::vector<guest<event_loop>*> handshakes_;  // under way, in the order in which they began
  int count_ = 0;
  bool shut_ = false;
  bool asked_ = false;
  bool over_ = false;
};

}  // namespace waiter

#endif
