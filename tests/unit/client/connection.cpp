#include <waiter/client/connection.hpp>
#include <waiter/system/signal_handlers.hpp>

#include "loopback.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <string>
#include <thread>

namespace {

using waiter::connection;
using waiter::error_code;
using waiter::milliseconds;
using waiter::never;
using waiter::system::mailbox;
using waiter::system::notice;
using namespace std::chrono_literals;

/// A client as its server has it, and the other end.
struct connected : loopback {
  connection wire;
  error_code error;

  explicit connected(milliseconds io_timeout = 5000ms, waiter::system::safe_point pause = {})
      : wire(std::move(accepted), io_timeout, pause) {}

  std::string receive(std::size_t most = 100) {
    std::string text(most, '\0');
    text.resize(wire.receive(text.data(), text.size(), error));
    return text;
  }
  std::size_t transmit(std::string_view text) { return wire.transmit(text.data(), text.size(), error); }
};

/// What a server does at its safe point: it takes the notices, and runs the hook while it may not be called again.
struct hooks {
  std::function<void()> hook;
  bool running = false;
  int ran = 0;
  waiter::system::signal_handlers signals{};

  explicit hooks(std::function<void()> what) : hook(std::move(what)) {
    error_code error;
    signals.take(error);
    REQUIRE_FALSE(error);
  }
  ~hooks() { mailbox.forget(); }
  hooks(const hooks&) = delete;
  hooks& operator=(const hooks&) = delete;

  bool may_run_signal_hooks() const { return !running; }
  void run_signal_hooks() {
    running = true;
    while (mailbox.any()) {
      mailbox.look();
      for (auto times = mailbox.take(notice::usr1); times != 0; --times) ++ran, hook();
    }
    running = false;
  }
};

/// SIGUSR1 to this process, once or again and again.
class usr1_timer {
 public:
  usr1_timer(milliseconds first, milliseconds then) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    REQUIRE(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0);
    const itimerspec when{{0, then.count() * 1'000'000}, {0, first.count() * 1'000'000}};
    ::timer_settime(timer_, 0, &when, nullptr);
  }
  ~usr1_timer() { ::timer_delete(timer_); }
  usr1_timer(const usr1_timer&) = delete;
  usr1_timer& operator=(const usr1_timer&) = delete;

 private:
  timer_t timer_{};
};

/// The peer writes a byte now and then, until the test case ends or the other side is gone.
class drip {
 public:
  drip(support::client& peer, milliseconds pause)
      : thread_([&peer, pause, done = done_.get_future()] {
          while (peer.send(".") && done.wait_for(pause) == std::future_status::timeout) {
          }
        }) {}
  ~drip() {
    done_.set_value();
    thread_.join();
  }
  drip(const drip&) = delete;
  drip& operator=(const drip&) = delete;

 private:
  std::promise<void> done_;
  std::thread thread_;
};

milliseconds time_option(int fd, int name) {
  timeval value{};
  socklen_t size = sizeof value;
  REQUIRE(::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0);
  return milliseconds(value.tv_sec * 1000 + value.tv_usec / 1000);
}

milliseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return milliseconds(used.tv_sec * 1000 + used.tv_nsec / 1'000'000);
}

/// The span that `attempt` takes, of several attempts the one nearest to `wanted`: a busy machine is late now and then, a wrong
/// deadline always.
template <class Attempt>
milliseconds best_of_five(milliseconds wanted, Attempt&& attempt) {
  milliseconds best = 1h;
  for (int round = 0; round < 5 && std::chrono::abs(best - wanted) > wanted / 10; ++round) {
    const milliseconds took = attempt();
    if (std::chrono::abs(took - wanted) < std::chrono::abs(best - wanted)) best = took;
  }
  return best;
}

}  // namespace

TEST_CASE("bytes go both ways") {
  connected one;
  REQUIRE(one.peer->send("hello"));
  CHECK(one.receive() == "hello");
  CHECK_FALSE(one.error);
  CHECK(one.transmit("hi\n") == 3);
  CHECK_FALSE(one.error);
  CHECK(one.peer->read_line() == "hi\n");
}

TEST_CASE("a read of a silent client is over when its time is, and the client can be used on") {
  connected one(200ms);
  CHECK(best_of_five(200ms, [&] {
          const support::stopwatch watch;
          CHECK(one.receive().empty());
          CHECK(one.error == waiter::error::timed_out);
          return watch.elapsed();
        }) <= 220ms);
  REQUIRE(one.peer->send("late"));
  CHECK(one.receive() == "late");
  CHECK_FALSE(one.error);
  CHECK(one.transmit("x") == 1);
}

TEST_CASE("a read is never over before its time") {
  connected one;
  for (const auto limit : {1ms, 7ms, 50ms, 130ms}) {
    CAPTURE(limit.count());
    one.wire.deadline().set_io_timeout(limit);
    const auto began = std::chrono::steady_clock::now();
    one.receive();
    CHECK(one.error == waiter::error::timed_out);
    CHECK(std::chrono::steady_clock::now() - began >= limit - 1ms);
  }
}

TEST_CASE("a write to a client that does not read is over when its time is, and the client can be used on") {
  connected one(100ms);
  const std::string much(1 << 20, 'x');
  std::size_t sent = 0;
  while (!one.error) sent += one.transmit(much);
  CHECK(one.error == waiter::error::timed_out);
  std::size_t read = 0;
  char scratch[65536];
  while (read < sent) {
    const auto got = ::recv(one.peer->descriptor(), scratch, sizeof scratch, 0);
    REQUIRE(got > 0);
    read += static_cast<std::size_t>(got);
  }
  CHECK(one.transmit("y") == 1);
  CHECK_FALSE(one.error);
}

TEST_CASE("however much is written, the time of a client that does not read runs from the last byte that the kernel took") {
  const std::string much(16 << 20, 'x');
  CHECK(best_of_five(300ms, [&] {
          connected one(300ms);
          const support::stopwatch watch;
          while (!one.error) one.transmit(much);
          CHECK(one.error == waiter::error::timed_out);
          return watch.elapsed();
        }) <= 330ms);
}

TEST_CASE("a client that reads slowly, but reads, gets all of it") {
  connected one(400ms);
  const std::string much(4 << 20, 'x');
  std::thread slow([&] {
    std::string scratch(256 << 10, '\0');
    for (std::size_t left = much.size(); left != 0;) {
      const auto got = ::recv(one.peer->descriptor(), scratch.data(), scratch.size(), 0);
      if (got <= 0) return;
      left -= static_cast<std::size_t>(got);
      std::this_thread::sleep_for(40ms);  // the whole takes longer than one wait may
    }
  });
  std::size_t sent = 0;
  while (!one.error && sent < much.size()) sent += one.wire.transmit(much.data() + sent, much.size() - sent, one.error);
  CHECK_FALSE(one.error);
  CHECK(sent == much.size());
  one.wire.close();
  slow.join();
}

TEST_CASE("a client's whole time is over in the middle of a drip, give or take a tenth") {
  CHECK(best_of_five(600ms, [&] {
          connected one;
          const drip bytes(*one.peer, 15ms);
          one.wire.deadline().expires_after(600ms, std::chrono::steady_clock::now());
          const support::stopwatch watch;
          std::size_t got = 0;
          while (!one.error) got += one.receive(1).size();
          CHECK(one.error == waiter::error::timed_out);
          CHECK(got > 3);
          return watch.elapsed();
        }) <= 660ms);
}

TEST_CASE("a client's whole time ends a read that waits, before the read's own time") {
  connected one(20000ms);
  one.wire.deadline().expires_after(300ms, std::chrono::steady_clock::now());
  const support::stopwatch watch;
  one.receive();
  CHECK(one.error == waiter::error::timed_out);
  CHECK(watch.elapsed() >= 295ms);
  CHECK(watch.elapsed() < 10000ms);
  // Once over it stays over, for writes too.
  CHECK(one.transmit("x") == 0);
  CHECK(one.error == waiter::error::timed_out);
  one.wire.deadline().expires_never();
  CHECK(one.transmit("x") == 1);
}

TEST_CASE("a client with all the time there is has no limit in the kernel") {
  connected one(never);
  REQUIRE(one.peer->send("x"));
  CHECK(one.receive() == "x");
  CHECK(time_option(one.wire.native_handle(), SO_RCVTIMEO) == 0ms);
  CHECK(one.transmit("x") == 1);
  CHECK(time_option(one.wire.native_handle(), SO_SNDTIMEO) == 0ms);
}

TEST_CASE("what the socket has inherited is replaced by the client's own limits") {
  loopback from(50ms);
  from.listener.accept_timeout(50ms);
  auto accepted = from.next();
  REQUIRE(accepted.receive_timeout == 50ms);
  connection wire(std::move(accepted), 2000ms);
  char byte = 0;
  error_code error;
  REQUIRE(from.peer->send("x"));
  wire.receive(&byte, 1, error);
  CHECK(time_option(wire.native_handle(), SO_RCVTIMEO) == 2000ms);
  wire.transmit("x", 1, error);
  CHECK(time_option(wire.native_handle(), SO_SNDTIMEO) == 2000ms);
}

TEST_CASE("the end of the stream is an error of its own, and stays") {
  connected one;
  REQUIRE(one.peer->send("last"));
  one.peer->half_close();
  CHECK_FALSE(one.wire.heard());
  CHECK(one.receive() == "last");
  CHECK(one.wire.heard());
  CHECK_FALSE(one.wire.at_end());
  for (int round = 0; round < 2; ++round) {
    CHECK(one.receive().empty());
    CHECK(one.error == boost::asio::error::eof);
    CHECK(one.wire.at_end());
  }
  CHECK(one.transmit("still heard\n") == 12);
  CHECK(one.peer->read_line() == "still heard\n");
}

TEST_CASE("a reset is told as such, and writing on raises no SIGPIPE") {
  // The default: it would kill.
  struct sigaction standard {
  }, before{};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &standard, &before);
  connected one;
  one.peer->reset();
  CHECK(one.receive().empty());
  CHECK(one.error == boost::system::errc::connection_reset);
  CHECK_FALSE(one.wire.at_end());
  CHECK(one.transmit("x") == 0);
  CHECK(one.error == boost::system::errc::broken_pipe);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("an empty read or write is no end of the stream") {
  connected one;
  CHECK(one.transmit("") == 0);
  CHECK_FALSE(one.error);
  REQUIRE(one.peer->send("x"));
  CHECK(one.receive(0).empty());
  CHECK_FALSE(one.error);
  CHECK_FALSE(one.wire.at_end());
}

TEST_CASE("hooks run while a read waits, and the read goes on") {
  connected* wanted = nullptr;
  hooks server([&] { wanted->peer->send("sent by the hook"); });
  connected one(5000ms, waiter::system::safe_point(server));
  wanted = &one;
  ::raise(SIGUSR1);
  CHECK(one.receive() == "sent by the hook");
  CHECK(server.ran == 1);

  const usr1_timer later(20ms, 0ms);
  CHECK(one.receive() == "sent by the hook");
  CHECK(server.ran == 2);
}

TEST_CASE("hooks run while a write waits, and the write goes on") {
  connected* wanted = nullptr;
  hooks server([&] {
    char scratch[1 << 16];
    while (::recv(wanted->peer->descriptor(), scratch, sizeof scratch, MSG_DONTWAIT) > 0) {
    }
  });
  connected one(20000ms, waiter::system::safe_point(server));
  wanted = &one;
  const std::string much(1 << 16, 'x');
  while (::send(one.wire.native_handle(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
  }
  const usr1_timer soon(20ms, 20ms);
  CHECK(one.transmit(much) > 0);
  CHECK_FALSE(one.error);
  CHECK(server.ran >= 1);
}

TEST_CASE("signals do not put the end of a read off for ever") {
  hooks server([] {});
  connected one(300ms, waiter::system::safe_point(server));
  const usr1_timer often(5ms, 5ms);
  const support::stopwatch watch;
  one.receive();
  CHECK(one.error == waiter::error::timed_out);
  CHECK(watch.elapsed() >= 295ms);
  CHECK(watch.elapsed() < 10000ms);
  CHECK(server.ran > 3);
}

TEST_CASE("a hook may end the client's time, or close the client, while a read waits") {
  connected* wanted = nullptr;
  std::function<void(connection&)> act;
  hooks server([&] { act(wanted->wire); });
  connected one(30000ms, waiter::system::safe_point(server));
  wanted = &one;
  const support::stopwatch watch;

  act = [](connection& wire) { wire.deadline().expires_after(0ms, std::chrono::steady_clock::now()); };
  {
    const usr1_timer soon(10ms, 0ms);
    one.receive();
  }
  CHECK(one.error == waiter::error::timed_out);
  one.wire.deadline().expires_never();

  act = [](connection& wire) { wire.close(); };
  {
    const usr1_timer soon(10ms, 0ms);
    one.receive();
  }
  CHECK(one.error == waiter::error::not_open);
  CHECK(one.peer->read_all().how == support::outcome::end_of_stream);
  CHECK(watch.elapsed() < 20000ms);
}

TEST_CASE("a hook that reads from a client itself waits for it, and does not spin while more signals come") {
  connected* wanted = nullptr;
  std::string nested;
  hooks server([&] {
    if (!nested.empty()) return;
    ::raise(SIGUSR1);  // stays in the mailbox until this hook is done
    nested = "silence";
    const auto used = processor_time();
    wanted->receive();
    CHECK(wanted->error == waiter::error::timed_out);
    CHECK(processor_time() - used < 200ms);
    wanted->peer->send("for the hook");
    nested = wanted->receive();
    wanted->peer->send("for the read");
  });
  connected one(600ms, waiter::system::safe_point(server));
  wanted = &one;
  ::raise(SIGUSR1);
  // The outer read's time went on while its hook ran.
  one.receive();
  CHECK(nested == "for the hook");
  CHECK(server.ran == 2);
}

TEST_CASE("without a safe point a signal does not disturb a read") {
  hooks server([] {});
  connected one;
  ::raise(SIGUSR1);
  REQUIRE(one.peer->send("x"));
  CHECK(one.receive() == "x");
  mailbox.forget();
  const usr1_timer soon(10ms, 10ms);
  std::thread later([&] {
    support::eventually([] { return mailbox.any(); });
    one.peer->send("y");
  });
  CHECK(one.receive() == "y");
  later.join();
}

TEST_CASE("a client that trickles is too slow, one that keeps the rate is not") {
  SECTION("a byte now and then") {
    connected one;
    one.wire.min_rate(1000);
    const drip bytes(*one.peer, 50ms);
    const support::stopwatch watch;
    while (!one.error) one.receive();
    CHECK(one.error == waiter::error::too_slow);
    CHECK(watch.elapsed() >= 1900ms);
    CHECK(watch.elapsed() < 10000ms);
  }
  SECTION("silence") {
    connected one(10000ms);
    one.wire.min_rate(1);
    const support::stopwatch watch;
    one.receive();
    CHECK(one.error == waiter::error::too_slow);
    CHECK(watch.elapsed() < 9000ms);
  }
  SECTION("enough") {
    connected one;
    one.wire.min_rate(10);
    const drip bytes(*one.peer, 20ms);
    const support::deadline end(3000ms);
    while (!one.error && !end.over()) one.receive();
    CHECK_FALSE(one.error);
  }
}

TEST_CASE("a descriptor that is given away has no deadline left on it") {
  connected one(500ms);
  REQUIRE(one.peer->send("x"));
  one.receive();
  one.transmit("x");
  const auto socket = one.wire.release();
  CHECK(time_option(socket.get(), SO_RCVTIMEO) == 0ms);
  CHECK(time_option(socket.get(), SO_SNDTIMEO) == 0ms);
  CHECK_FALSE(one.wire.is_open());
  CHECK(one.wire.native_handle() == -1);
  one.receive();
  CHECK(one.error == waiter::error::not_open);
  one.transmit("x");
  CHECK(one.error == waiter::error::not_open);
}

TEST_CASE("after a half-close the client reads to the end, and is still heard") {
  connected one;
  one.transmit("all");
  one.wire.shutdown_send(one.error);
  CHECK_FALSE(one.error);
  CHECK(one.peer->read_all() == support::answer("all"));
  REQUIRE(one.peer->send("thanks"));
  CHECK(one.receive() == "thanks");
  CHECK(one.transmit("more") == 0);
  CHECK(one.error == boost::system::errc::broken_pipe);
  one.wire.close();
  one.wire.shutdown_send(one.error);
  CHECK(one.error == boost::system::errc::bad_file_descriptor);
}

TEST_CASE("a connection knows both of its ends, and the peer's also when it is closed") {
  connected one;
  CHECK(one.wire.local() == one.listener.local());
  const auto peer = one.wire.peer();
  CHECK(peer.address().is_loopback());
  CHECK(peer.port() != 0);
  one.wire.close();
  CHECK(one.wire.peer() == peer);
  CHECK(one.wire.local() == connection::endpoint());
}
