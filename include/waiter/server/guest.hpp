#ifndef WAITER_SERVER_GUEST_HPP
#define WAITER_SERVER_GUEST_HPP

#include <waiter/client/async_loop.hpp>
#include <waiter/client/farewell.hpp>
#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/discard.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>

#include <exception>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace waiter {

/// One client of an event loop, from its accept to its end: it keeps the order of the hooks. Only these are coroutines; the life
/// itself is a chain of completions, each of which goes on to the next step.
template <class Loop>
class guest final : private Loop::client_type::keeper {
 public:
  using client_type = typename Loop::client_type;

  /// A client that was accepted here.
  guest(Loop& loop, system::accepted& from) : loop_(loop), own_(std::in_place, welcomed{loop, from}), client_(*own_) {}
  /// A client that this process was given.
  guest(Loop& loop, client_type& client) : loop_(loop), client_(client) {}

  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  ~guest() { client_.detach(kept_open_); }

  /// Where it stands in the loop's list.
  typename std::list<guest>::iterator place{};

  /// on_accept_ok, and then all the rest.
  void greet() {
    const bool greeted = loop_.host().greet(client_);
    client_.attach(loop_.loop(), *this);
    if (greeted && loop_.watch().begins()) return shake_hands();
    turned_away_ = true;
    say_close();
  }

  /// For one that was greeted already.
  void serve() {
    client_.attach(loop_.loop(), *this);
    shake_hands();
  }

  /// Its handshake takes the place of another client's no longer.
  void give_way() {
    awaited_ = false;
    client_.expires_within(milliseconds::zero());
  }

  /// on_close alone.
  void only_close() {
    client_.attach(loop_.loop(), *this);
    turned_away_ = true;
    kept_open_ = true;
    say_close();
  }

  /// Its time is over: whatever it waits for ends.
  void end() {
    client_.end();
    client_.cancel_tasks();
    if (phase_ == phase::lingers) gone();
  }

  /// The loop has ended, and what the coroutines waited for was destroyed. True when on_close is still to be called.
  bool abandon() {
    patience_.reset();
    client_.end();
    if (!kept_open_) client_.close();
    return std::exchange(phase_, phase::close) < phase::close;
  }

  client_type& client() noexcept { return client_; }

 private:
  enum class phase { handshake, process, close, farewell, lingers, gone };

  struct welcomed {
    Loop& loop;
    system::accepted& from;
    // The client is made where it lives.
    operator client_type() const { return loop.host().welcome(std::move(from)); }
  };

  void shake_hands() {
    loop_.handshake_begins(*this);
    loop_.transport().async_handshake(client_, [this](std::optional<std::string> why) {
      loop_.handshake_ends(*this);
      if (!why) return process();
      if (!awaited_) why = "the handshake gave way to that of another client: max_handshakes are under way";
      loop_.host().log_debug("handshake with ", client_.peer(), " failed: ", *why);
      loop_.host().template call<hook::on_ssl_error>(std::string_view(*why));
      wind_up();
    });
  }

  void process() {
    loop_.watch().greeted();
    const auto& settings = loop_.host().settings();
    if (settings.client_timeout != never) client_.expires_within(settings.client_timeout);
    if (settings.min_rate != 0) client_.min_rate(settings.min_rate);
    phase_ = phase::process;
    run<hook::on_process>();
  }

  template <hook Hook>
  void run() {
    // A handler that was refused for this has heard of it.
    if constexpr (std::is_void_v<decltype(loop_.host().hooks().template invoke<Hook>(client_))>) return wind_up();
    else try {
      boost::asio::co_spawn(loop_.loop().executor(), loop_.host().hooks().template invoke<Hook>(client_),
                            [this](const std::exception_ptr& thrown, auto... stay) {
                              if (thrown)
                                threw(Hook, thrown);
                              else if (!(true && ... && stay))
                                loop_.watch().enough();
                              wind_up();
                            });
    } catch (...) {
      loop_.host().hooks().caught(Hook);
      wind_up();
    }
  }

  // What the hook has begun, and left behind, ends before the next one.
  void wind_up() {
    winds_up_ = true;
    client_.cancel_tasks();
    if (client_.has_tasks()) return;
    if (!client_.is_quiet()) {
      client_.end_operations(error::timed_out);
      return boost::asio::post(loop_.loop().executor(), [this] { wind_up(); });
    }
    winds_up_ = false;
    if (phase_ < phase::close)
      say_close();
    else
      farewell();
  }

  void say_close() {
    phase_ = phase::close;
    if constexpr (Loop::closes_in_coroutine) {
      run<hook::on_close>();
    } else {
      loop_.host().template call<hook::on_close>(client_);
      wind_up();
    }
  }

  void farewell() {
    phase_ = phase::farewell;
    if (kept_open_) return gone();
    if (turned_away_ || !client_.is_open()) return part();
    loop_.transport().async_finish(client_, [this] { part(); });
  }

  void part() {
    const auto linger = loop_.host().settings().linger;
    if (!client_.is_open() || !awaited_ || client_.at_end() || linger <= milliseconds::zero() ||
        !bid_farewell(client_.native_handle()))
      return gone();
    phase_ = phase::lingers;
    patience_.emplace(loop_.loop().executor(), later(async_loop::clock::now(), linger));
    patience_->async_wait([this](const error_code& cancelled) {
      if (!cancelled) gone();
    });
    drain();
  }

  // What a half-closed client still sends is thrown away.
  void drain() {
    client_.socket().async_wait(boost::asio::socket_base::wait_read, [this](const error_code& error) {
      if (phase_ == phase::gone) return loop_.remove(*this);
      if (error || system::discard(client_.native_handle(), MSG_DONTWAIT) == 0) {
        client_.close();
        gone();
        return loop_.remove(*this);
      }
      drain();
    });
  }

  void gone() {
    const bool drains = std::exchange(phase_, phase::gone) == phase::lingers;
    if (patience_) patience_->cancel();
    loop_.watch().ends();
    if (drains && client_.is_open()) return client_.close();  // the end of `drain` follows
    if (drains) return;
    if (!kept_open_) client_.close();
    // Whoever has called this may still use it.
    boost::asio::post(loop_.loop().executor(), [this] { loop_.remove(*this); });
  }

  void task_threw(const std::exception_ptr& thrown) override { threw(hook::on_process, thrown); }
  void tasks_ended() override {
    if (winds_up_) wind_up();
  }

  // That a coroutine was cancelled is the server's own doing.
  void threw(hook where, const std::exception_ptr& thrown) noexcept {
    try {
      std::rethrow_exception(thrown);
    } catch (const system_error& failure) {
      if (failure.code() != boost::asio::error::operation_aborted) loop_.host().hooks().caught(where);
    } catch (...) {
      loop_.host().hooks().caught(where);
    }
  }

  Loop& loop_;
  std::optional<client_type> own_;
  client_type& client_;
  std::optional<boost::asio::steady_timer> patience_;
  phase phase_ = phase::handshake;
  bool awaited_ = true;
  bool turned_away_ = false;
  bool kept_open_ = false;
  bool winds_up_ = false;
};

}  // namespace waiter

#endif
