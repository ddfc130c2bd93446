#ifndef WAITER_CLIENT_TIMED_CLIENT_HPP
#define WAITER_CLIENT_TIMED_CLIENT_HPP

#include <waiter/client/async_loop.hpp>
#include <waiter/client/connection.hpp>
#include <waiter/client/deadline.hpp>
#include <waiter/error.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/pace.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace waiter {

/// The deadlines of a client of an event loop: of its read, of its write, and of its whole time.
///
/// Nothing is set up for a read or a write but the instant at which it began. The loop looks at a client when the first of its deadlines may
/// be over, and then again when the next one may be; so one that never waits long costs the loop nothing.
class timed_client : public timed {
 public:
  using endpoint = connection::endpoint;

  /// Who the client is, as accept(2) told; it stays true after the client has gone.
  const endpoint& peer() const noexcept { return wire_.peer(); }

  /// Ends the client's whole time `limit` from now: a read or write that is not done by then ends with `error::timed_out`.
  /// `waiter::never` lifts the limit. It replaces what `options::client_timeout` set, and holds for what is under way.
  template <class Rep, class Period>
  void expires_after(std::chrono::duration<Rep, Period> limit) {
    const bool endless = std::chrono::duration<double>(limit) >= std::chrono::duration<double>(never);
    expires_after(endless ? never : std::chrono::ceil<milliseconds>(limit));
  }
  void expires_after(milliseconds limit) {
    wire_.deadline().expires_after(limit, clock::now());
    changed();
  }
  /// The same, unless its time is over sooner already.
  void expires_within(milliseconds limit) {
    wire_.deadline().expires_within(limit, clock::now());
    changed();
  }
  void expires_never() {
    wire_.deadline().expires_never();
    changed();
  }

  /// How long one read or write may take, the one under way too; `waiter::never` lifts the limit. Starts as `options::io_timeout`.
  void io_timeout(milliseconds limit) {
    wire_.deadline().set_io_timeout(limit);
    changed();
  }
  milliseconds io_timeout() const noexcept { return wire_.deadline().io_timeout(); }

  /// The least rate, in bytes per second, from now on; 0 asks for nothing. Starts as `options::min_rate`.
  void min_rate(std::uint32_t least) noexcept { pace_ = pace(least); }

  /// The client has closed its side, and that was read: nothing is left unread.
  bool at_end() const noexcept { return at_end_; }

  /// The process is to end: a client has `grace` for what it has begun.
  bool stopping() const noexcept { return loop_ != nullptr && loop_->stopping(); }

 protected:
  using clock = async_loop::clock;

  /// A read or a write.
  struct operation {
    instant began{};
    unsigned under_way = 0;
  };

  explicit timed_client(connection&& wire) noexcept : wire_(std::move(wire)) {}
  ~timed_client() = default;

  /// Ends what is under way, by Asio's cancellation.
  virtual void cut() noexcept = 0;

  connection& wire() noexcept { return wire_; }
  const connection& wire() const noexcept { return wire_; }

  async_loop* loop() const noexcept { return loop_; }
  /// Another loop looks at the client from now on; null: none does.
  void put_on(async_loop* loop) noexcept {
    if (loop_ != nullptr) loop_->forget(*this);
    booked_ = instant::max();
    loop_ = loop;
  }

  /// Whatever is under way ends now, with this error.
  void end_operations(error why) noexcept {
    if (is_quiet()) return;
    over_ = why;
    cut();
  }
  bool is_quiet() const noexcept { return reads_.under_way + writes_.under_way == 0; }

  // The booking is for the first deadline of all; one that comes later is seen at the look.
  void begin(operation& one) {
    one.began = clock::now();
    ++one.under_way;
    if (one.began + patience_ < booked_ || wire_.deadline().expiry() < booked_ || pace_.asks()) [[unlikely]]
      book(ends(one));
  }

  void ended(operation& one, error_code& error, std::size_t count) noexcept {
    --one.under_way;
    if (error.failed() || pace_.asks()) [[unlikely]]
      explain(one, error, count);
  }

  /// Other deadlines than those that stand; gives these. What is under way is not measured by the new ones before the next look.
  client_deadline replace_deadline(const client_deadline& with) noexcept {
    const auto before = std::exchange(wire_.deadline(), with);
    patience_ = patience();
    return before;
  }

  operation reads_;
  operation writes_;

 private:
  [[gnu::noinline]] void book(instant due) {
    if (due >= booked_) return;
    booked_ = due;
    loop_->book(*this, due);
  }

  [[gnu::noinline]] void explain(const operation& one, error_code& error, std::size_t count) noexcept {
    if (pace_.asks()) pace_.waited(std::chrono::round<milliseconds>(clock::now() - one.began), count);
    if (over_ && error == boost::asio::error::operation_aborted) error = *over_;
    if (error == boost::asio::error::bad_descriptor) error = error::not_open;
    if (is_quiet()) over_.reset();
    if (&one == &reads_ && error == boost::asio::error::eof) at_end_ = true;
  }

  instant ends(const operation& one) const noexcept {
    return std::min(wire_.deadline().operation_ends(one.began), later(one.began, pace_.patience()));
  }

  instant look(instant now) override {
    booked_ = instant::max();
    for (const operation* one : {&reads_, &writes_}) {
      if (one->under_way == 0) continue;
      const instant due = ends(*one);
      if (due <= now) {
        end_operations(wire_.deadline().operation_ends(one->began) <= now ? error::timed_out : error::too_slow);
        return booked_ = instant::max();
      }
      booked_ = std::min(booked_, due);
    }
    return booked_;
  }

  void changed() {
    patience_ = patience();
    for (const operation* one : {&reads_, &writes_})
      if (one->under_way != 0) book(ends(*one));
  }

  // `io_timeout`, so that no sum with it overflows.
  std::chrono::nanoseconds patience() const noexcept {
    return std::min<milliseconds>(wire_.deadline().io_timeout(), std::chrono::hours(24 * 365 * 50));
  }

  connection wire_;
  async_loop* loop_ = nullptr;
  std::chrono::nanoseconds patience_ = patience();
  instant booked_ = instant::max();  // when the loop will look
  pace pace_;
  std::optional<error> over_;  // why the loop has cancelled what is under way
  bool at_end_ = false;
};

}  // namespace waiter

#endif
