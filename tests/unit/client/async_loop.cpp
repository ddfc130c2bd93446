#include <waiter/client/async_loop.hpp>

#include "support/catch.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using clock_type = waiter::async_loop::clock;

/// Says when it was looked at, and when it is to be looked at again.
struct looked_at final : waiter::timed {
  std::vector<clock_type::time_point> looks{};
  clock_type::time_point next = waiter::instant::max();

 private:
  waiter::instant look(waiter::instant now) override {
    looks.push_back(now);
    return std::exchange(next, waiter::instant::max());
  }
};

}  // namespace

TEST_CASE("each is looked at when it is due, and not before") {
  waiter::async_loop loop;
  looked_at soon, later, forgotten;
  const auto began = clock_type::now();
  loop.book(later, began + 60ms);
  loop.book(soon, began + 20ms);
  loop.book(forgotten, began + 10ms);
  loop.forget(forgotten);
  loop.context().run();
  REQUIRE(soon.looks.size() == 1);
  REQUIRE(later.looks.size() == 1);
  CHECK(forgotten.looks.empty());
  CHECK(soon.looks[0] >= began + 20ms);
  CHECK(later.looks[0] >= began + 60ms);
  CHECK(soon.looks[0] < later.looks[0]);
}

TEST_CASE("who says so is looked at again; who has an earlier deadline by now, earlier") {
  waiter::async_loop loop;
  looked_at one;
  const auto began = clock_type::now();
  one.next = began + 40ms;
  loop.book(one, began + 3600s);
  loop.book(one, began + 20ms);
  loop.book(one, began + 3600s);  // a deadline that moves away does not move the look
  loop.context().run();
  REQUIRE(one.looks.size() == 2);
  CHECK(one.looks[0] >= began + 20ms);
  CHECK(one.looks[1] >= began + 40ms);
}

TEST_CASE("a stop ends the waits for it") {
  waiter::async_loop loop;
  int ended = 0;
  loop.until_stop().async_wait([&](const auto&) { ++ended; });
  CHECK_FALSE(loop.stopping());
  boost::asio::post(loop.executor(), [&] { loop.stop(); });
  loop.context().run();
  CHECK(ended == 1);
  CHECK(loop.stopping());
}

TEST_CASE("the end of a loop destroys what is waited for, while sockets and timers are still there") {
  waiter::async_loop loop;
  boost::asio::steady_timer timer(loop.executor(), 3600s);
  auto held = std::make_shared<int>(1);
  bool there = false;
  struct last_words {
    std::shared_ptr<int> kept;
    boost::asio::steady_timer* timer;
    bool* there;
    last_words(std::shared_ptr<int> keep, boost::asio::steady_timer* of, bool* seen) : kept(std::move(keep)), timer(of), there(seen) {}
    ~last_words() {
      if (kept) *there = timer->expiry() > clock_type::now();
    }
    last_words(last_words&&) = default;
    void operator()(const boost::system::error_code&) const {}
  };
  timer.async_wait(last_words(held, &timer, &there));
  CHECK(held.use_count() == 2);
  loop.end();
  CHECK(held.use_count() == 1);
  CHECK(there);
}
