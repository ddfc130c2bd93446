#ifndef WAITER_CLIENT_ASYNC_CLIENT_HPP
#define WAITER_CLIENT_ASYNC_CLIENT_HPP

#include <waiter/client/async_loop.hpp>
#include <waiter/client/connection.hpp>
#include <waiter/client/observed_handler.hpp>
#include <waiter/client/timed_client.hpp>
#include <waiter/error.hpp>
#include <waiter/options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace waiter {

/// What every client of an event loop can do, whatever carries its bytes: it is one of Asio's AsyncReadStream and AsyncWriteStream, so
/// that `async_read_until`, `async_write` and Beast take it; and no read or write is without a deadline, unless that is lifted.
///
/// A transport's client type derives from `async_client<itself>`, befriends it, and has these members, private if it likes:
/// `stream()`, the stream that carries the bytes, and `socket()`, Asio's socket below it, between `open(executor, descriptor)` and `shut()`;
/// and `write_cut()`, which is told when a write was given up halfway.
///
/// A read and a write may be under way at the same time, and one of each. When a deadline passes, both end with `error::timed_out`.
/// A client lives in one place, in the process and the thread that serve it.
template <class Derived>
class async_client : public timed_client {
 public:
  using executor_type = boost::asio::any_io_executor;
  /// What a hook that waits for this client returns; by it the contract of handlers knows that they are coroutines.
  template <class Result>
  using coroutine = boost::asio::awaitable<Result>;

  static constexpr std::size_t default_line_limit = 8192;

  /// The loop of this process. Empty in a process that does not serve the client (on_accept_ok and on_maxforked).
  executor_type get_executor() const noexcept { return loop() != nullptr ? loop()->executor() : executor_type(); }

  /// Reads at least one byte, or ends with an error: `asio::error::eof` at the end, `error::timed_out`, `error::too_slow`.
  template <class MutableBufferSequence, class Token>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(begin_read{&self()}, token, buffers);
  }

  /// Writes at least one byte, or ends with an error.
  template <class ConstBufferSequence, class Token>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(begin_write{&self()}, token, buffers);
  }

  /// Writes all of the text, which has to live until that is done: `co_await client.write("hello\n");`.
  boost::asio::awaitable<std::size_t> write(std::string_view text) {
    return boost::asio::async_write(self(), boost::asio::const_buffer(text.data(), text.size()), boost::asio::use_awaitable);
  }

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
  // GCC takes Asio's frames for mismatched once their operators are inlined (up to GCC 13).
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
  /// Reads a line and gives it without its end, "\n" or "\r\n"; a last line may lack its end. At the end of the stream there is none,
  /// and no error. A line that is longer than `limit` is `error::line_too_long`.
  boost::asio::awaitable<std::optional<std::string>> read_line(std::size_t limit = default_line_limit) {
    if (!ahead_) ahead_ = std::make_unique<std::string>();
    for (std::size_t searched = 0;;) {
      std::string& held = *ahead_;
      if (const auto end = held.find('\n', searched); end != held.npos) co_return take_line(end, end + 1, limit);
      if (held.size() > limit + 1) throw system_error(error::line_too_long, "read_line");
      searched = held.size();
      char chunk[1024];
      // What was read ahead is no part of the stream while more is read behind it.
      auto before = std::move(ahead_);
      const auto [error, count] = co_await async_read_some(boost::asio::buffer(chunk), boost::asio::as_tuple(boost::asio::use_awaitable));
      ahead_ = std::move(before);
      ahead_->append(chunk, count);
      if (!error) continue;
      if (error != boost::asio::error::eof) throw system_error(error, "read_line");
      if (searched == 0) co_return std::nullopt;
      co_return take_line(searched, searched, limit);
    }
  }

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

  /// How many bytes `read_line` has received that were not read.
  std::size_t buffered() const noexcept { return ahead_ ? ahead_->size() : 0; }

  /// Runs another coroutine beside the client's own. When on_process has ended it is cancelled, and on_close waits for its end. What it
  /// throws goes to on_exception.
  void spawn(boost::asio::awaitable<void> work) {
    const auto place = tasks_.emplace(tasks_.end());
    boost::asio::co_spawn(loop()->executor(), std::move(work),
                          boost::asio::bind_cancellation_slot(place->slot(), [this, place](std::exception_ptr thrown) {
                            // Not at once: the coroutine that calls this uses its slot to the end.
                            boost::asio::post(loop()->executor(), [this, place, thrown] {
                              tasks_.erase(place);
                              if (thrown) keeper_->task_threw(thrown);
                              if (tasks_.empty()) keeper_->tasks_ended();
                            });
                          }));
  }

  /// Ends when the process is asked to end; at once when it was: `co_await (client.async_stop(use_awaitable) || …)`.
  template <class Token>
  auto async_stop(Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(begin_stop{loop()}, token);
  }

  /// The address that the client connected to; a default endpoint once the client is closed.
  endpoint local() const noexcept { return connection::local_of(native_handle()); }

  bool is_open() const noexcept { return is_attached() ? self().socket().is_open() : wire().is_open(); }

  /// The socket's descriptor, -1 once the client is closed. It stays the client's, and is closed after on_close.
  int native_handle() const noexcept {
    if (!is_attached()) return wire().native_handle();
    return self().socket().is_open() ? const_cast<async_client*>(this)->self().socket().native_handle() : -1;
  }

  /// Closes at once and without a farewell. The server closes every client in order by itself.
  void close() noexcept {
    error_code ignored;
    if (is_attached())
      self().socket().close(ignored);
    else
      wire().close();
  }

  /// Takes the descriptor out as it stands; who calls owns it. For the server.
  [[nodiscard]] int take_socket() noexcept {
    if (!is_attached()) return wire().take_socket().release();
    error_code error;
    const int fd = self().socket().release(error);
    return error ? -1 : fd;
  }

 protected:
  explicit async_client(connection&& wire) noexcept : timed_client(std::move(wire)) {}
  ~async_client() = default;

 private:
  template <class, class, class>
  friend class event_loop;
  template <class>
  friend class guest;
  friend Derived;

  /// Who looks after the client, and hears of its coroutines.
  struct keeper {
    virtual void task_threw(const std::exception_ptr& thrown) = 0;
    virtual void tasks_ended() = 0;

   protected:
    ~keeper() = default;
  };

  template <bool Reads>
  struct watch {
    async_client* client;
    void operator()(error_code& error, std::size_t count) const noexcept {
      client->ended(Reads ? client->reads_ : client->writes_, error, count);
    }
  };

  struct begin_read {
    using executor_type = async_client::executor_type;
    executor_type get_executor() const noexcept { return client->get_executor(); }
    Derived* client;

    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      static_cast<async_client*>(client)->read(std::forward<Handler>(handler), buffers);
    }
  };
  struct begin_write {
    using executor_type = async_client::executor_type;
    executor_type get_executor() const noexcept { return client->get_executor(); }
    Derived* client;

    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      static_cast<async_client*>(client)->put(std::forward<Handler>(handler), buffers);
    }
  };
  // The timer's cancellation is what was waited for; the waiter's own is not.
  struct stop_watch {
    async_loop* loop;
    void operator()(error_code& error) const noexcept {
      if (loop->stopping()) error.clear();
    }
  };
  struct begin_stop {
    async_loop* loop;

    template <class Handler>
    void operator()(Handler&& handler) const {
      if (loop->stopping())
        boost::asio::post(loop->executor(), boost::asio::append(std::forward<Handler>(handler), error_code()));
      else
        loop->until_stop().async_wait(observed_handler<stop_watch, std::decay_t<Handler>>({loop}, std::move(handler)));
    }
  };

  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

  bool is_attached() const noexcept { return loop() != nullptr; }

  // ---- for the loop

  void attach(async_loop& loop, keeper& who) {
    self().open(loop.executor(), wire().take_socket().release());
    put_on(&loop);
    keeper_ = &who;
  }

  /// Off the loop. `keep`: with its socket, which is then as it was before.
  void detach(bool keep) noexcept {
    if (!is_attached()) return;
    system::descriptor socket(keep ? take_socket() : -1);
    put_on(nullptr);
    self().shut();
    if (socket) wire() = connection({std::move(socket), peer(), never, never}, io_timeout());
  }

  /// After the end of the loop it was on: only so that a coroutine of on_close has one.
  void move_to(async_loop& loop) noexcept { put_on(&loop); }

  /// Nothing more is waited for: what is under way ends, and what is begun from now on ends at once, with `error::timed_out`.
  void end() noexcept {
    ended_ = true;
    end_operations(error::timed_out);
  }

  void cut() noexcept override {
    if (writes_.under_way != 0) self().write_cut();
    error_code ignored;
    self().socket().cancel(ignored);
  }

  void cancel_tasks() {
    // A coroutine that ends in here takes itself off the list later.
    for (auto& task : tasks_) task.emit(boost::asio::cancellation_type::terminal);
  }
  bool has_tasks() const noexcept { return !tasks_.empty(); }

  // ---- reads and writes

  template <class Handler, class Buffers>
  void read(Handler&& handler, const Buffers& buffers) {
    if (ahead_ && !ahead_->empty()) [[unlikely]] {
      const auto count = boost::asio::buffer_copy(buffers, boost::asio::buffer(*ahead_));
      ahead_->erase(0, count);
      return complete(std::forward<Handler>(handler), {}, count);
    }
    if (ended_) [[unlikely]]
      return complete(std::forward<Handler>(handler), error::timed_out, 0);
    begin(reads_);
    self().stream().async_read_some(buffers, observed_handler<watch<true>, std::decay_t<Handler>>({this}, std::move(handler)));
  }

  template <class Handler, class Buffers>
  void put(Handler&& handler, const Buffers& buffers) {
    if (ended_) [[unlikely]]
      return complete(std::forward<Handler>(handler), error::timed_out, 0);
    begin(writes_);
    self().stream().async_write_some(buffers, observed_handler<watch<false>, std::decay_t<Handler>>({this}, std::move(handler)));
  }

  template <class Handler>
  void complete(Handler&& handler, error_code error, std::size_t count) {
    boost::asio::post(loop()->executor(), boost::asio::append(std::forward<Handler>(handler), error, count));
  }

  std::optional<std::string> take_line(std::size_t length, std::size_t with_end, std::size_t limit) {
    std::string& held = *ahead_;
    if (length != with_end && length != 0 && held[length - 1] == '\r') --length;
    if (length > limit) throw system_error(error::line_too_long, "read_line");
    std::optional<std::string> line{held.substr(0, length)};
    held.erase(0, with_end);
    return line;
  }

  keeper* keeper_ = nullptr;
  std::unique_ptr<std::string> ahead_;
  std::list<boost::asio::cancellation_signal> tasks_;
  bool ended_ = false;
};

}  // namespace waiter

#endif
