#include <waiter/system/interruptible.hpp>
#include <waiter/system/listener.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace {

using waiter::system::interruptible;
using waiter::system::mailbox;
using waiter::system::notice;

/// Each call here is bounded by the sockets' own limits, so a signal without effect shows as EAGAIN.
ssize_t receive(int fd, char& byte) noexcept { return ::recv(fd, &byte, 1, 0); }

}  // namespace

TEST_CASE("a signal that arrives after the look and before the call ends the call") {
  const taken_signals signals;
  const stream_pair pair;
  char byte = 0;

  SECTION("recv") {
    const auto got = interruptible(pair.ours.get(), [&]() noexcept { return ::raise(SIGUSR1), receive(pair.ours.get(), byte); });
    CHECK(got == -1);
    CHECK(errno == EINTR);
  }
  SECTION("send, when the peer reads nothing") {
    const std::string much(1 << 16, 'x');
    while (::send(pair.ours.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
    }
    const auto got = interruptible(pair.ours.get(),
                                   [&]() noexcept { return ::raise(SIGUSR1), ::send(pair.ours.get(), "y", 1, MSG_NOSIGNAL); });
    CHECK(got == -1);
    CHECK(errno == EINTR);
  }
  SECTION("accept") {
    waiter::system::listener listener;
    waiter::error_code error;
    listener.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 1, waiter::never, error);
    REQUIRE_FALSE(error);
    listener.accept_timeout(waiter::milliseconds(3000));
    const int got =
        interruptible(listener.get(), [&]() noexcept { return ::raise(SIGUSR1), ::accept(listener.get(), nullptr, nullptr); });
    CHECK(got == -1);
    CHECK(errno == EINTR);
  }
  CHECK(mailbox.take(notice::usr1) == 1);
}

TEST_CASE("a signal that arrived before the call keeps it from being made") {
  const taken_signals signals;
  const stream_pair pair;
  ::raise(SIGTERM);
  bool called = false;
  const auto got = interruptible(pair.ours.get(), [&]() noexcept { return called = true, ssize_t{0}; });
  CHECK(got == -1);
  CHECK(errno == EINTR);
  CHECK_FALSE(called);

  SECTION("as often as it is tried, until the notice is looked at") {
    CHECK(interruptible(pair.ours.get(), [&]() noexcept { return called = true, ssize_t{0}; }) == -1);
    CHECK_FALSE(called);
    mailbox.look();
    CHECK(interruptible(pair.ours.get(), [&]() noexcept { return called = true, ssize_t{0}; }) == 0);
    CHECK(called);
  }
}

TEST_CASE("what a call had achieved when the signal came is not thrown away") {
  const taken_signals signals;
  const stream_pair pair;
  REQUIRE(::send(pair.theirs.get(), "a", 1, 0) == 1);
  char byte = 0;
  const auto got = interruptible(pair.ours.get(), [&]() noexcept {
    const auto count = receive(pair.ours.get(), byte);
    ::raise(SIGUSR2);
    return count;
  });
  CHECK(got == 1);
  CHECK(byte == 'a');
  CHECK(mailbox.any());
  CHECK(mailbox.take(notice::usr2) == 1);
}

TEST_CASE("after a signal the descriptor stands for what it stood for, and closes on exec") {
  const taken_signals signals;
  const stream_pair pair;
  const auto file = file_behind(pair.ours.get());
  char byte = 0;
  for (int round = 0; round < 3; ++round) {
    interruptible(pair.ours.get(), [&]() noexcept { return ::raise(SIGUSR1), receive(pair.ours.get(), byte); });
    REQUIRE(errno == EINTR);
    CHECK(file_behind(pair.ours.get()) == file);
    CHECK(::fcntl(pair.ours.get(), F_GETFD) == FD_CLOEXEC);
    mailbox.look();
  }
  REQUIRE(::send(pair.theirs.get(), "b", 1, 0) == 1);
  CHECK(interruptible(pair.ours.get(), [&]() noexcept { return receive(pair.ours.get(), byte); }) == 1);
  CHECK(byte == 'b');
}

TEST_CASE("after a signal nothing else holds the connection: to close it is to end it") {
  const taken_signals signals;
  stream_pair pair;
  char byte = 0;
  interruptible(pair.ours.get(), [&]() noexcept { return ::raise(SIGUSR1), receive(pair.ours.get(), byte); });
  REQUIRE(errno == EINTR);
  pair.ours.reset();
  REQUIRE(readable(pair.theirs.get()));
  CHECK(::recv(pair.theirs.get(), &byte, 1, 0) == 0);
}

TEST_CASE("several signals in one wait take the descriptor once and are all counted") {
  const taken_signals signals;
  const stream_pair pair;
  const auto file = file_behind(pair.ours.get());
  char byte = 0;
  const auto got = interruptible(pair.ours.get(), [&]() noexcept {
    for (const int signal : {SIGUSR1, SIGHUP, SIGUSR1, SIGCHLD}) ::raise(signal);
    return receive(pair.ours.get(), byte);
  });
  CHECK(got == -1);
  CHECK(errno == EINTR);
  CHECK(file_behind(pair.ours.get()) == file);
  CHECK(mailbox.take(notice::usr1) == 2);
  CHECK(mailbox.take(notice::hup) == 1);
  CHECK(mailbox.take(notice::child) == 1);
}

TEST_CASE("of 20000 signals at any instant around a wait none is lost") {
  const taken_signals signals;
  waiter::system::listener listener;
  waiter::error_code error;
  listener.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 1, waiter::never, error);
  REQUIRE_FALSE(error);
  // A lost signal would be missed until then. One that comes at all comes before.
  listener.accept_timeout(waiter::milliseconds(2000));
  alarm_clock clock(SIGUSR1);
  const auto file = file_behind(listener.get());
  long late = 0;
  unsigned arrived = 0;
  unsigned random = 1;
  for (int round = 0; round < 20000; ++round) {
    random = random * 1103515245u + 12345u;
    clock.ring_in(1 + static_cast<long>(random >> 16) % 30000);
    mailbox.look();
    while (mailbox.take(notice::usr1) == 0) {
      REQUIRE_FALSE(listener.accept(error));
      late += error != boost::system::errc::interrupted;
      mailbox.look();
    }
    ++arrived;
  }
  CHECK(arrived == 20000);
  CHECK(late == 0);
  CHECK(file_behind(listener.get()) == file);
}

TEST_CASE("a call that no signal disturbs fails for its own reason") {
  const taken_signals signals;
  const stream_pair pair;
  char byte = 0;
  CHECK(interruptible(pair.ours.get(), [&]() noexcept { return ::recv(pair.ours.get(), &byte, 1, MSG_DONTWAIT); }) == -1);
  CHECK(errno == EAGAIN);
}
