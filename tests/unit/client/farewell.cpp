#include <waiter/client/farewell.hpp>

#include "loopback.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"

#include <sys/socket.h>

#include <string>
#include <thread>

namespace {

using support::outcome;
using waiter::bid_farewell;
using waiter::drain;
using namespace std::chrono_literals;

const std::string text(200'000, 'a');

/// Writes all of it, though the peer reads only later.
void answer(int fd) {
  const int room = 1 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    REQUIRE(sent > 0);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

TEST_CASE("a client that sent nothing, or has only closed, has nothing unread, and is told the end") {
  loopback one;
  const int fd = one.accepted.socket.get();
  if (GENERATE(true, false)) {
    one.peer->half_close();
    REQUIRE(support::eventually([fd] {
      char byte = 0;
      return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    }));
  }
  CHECK_FALSE(bid_farewell(fd));
  CHECK(one.peer->read_all().how == outcome::end_of_stream);
}

TEST_CASE("bytes that come after the farewell cannot take it back") {
  loopback one;
  answer(one.accepted.socket.get());
  CHECK_FALSE(bid_farewell(one.accepted.socket.get()));
  // The client has all, and its end, before its late bytes are answered with a reset.
  CHECK(one.peer->read_all().how == outcome::answered);
  one.accepted.socket.reset();
  one.peer->send("late");
}

TEST_CASE("a client whose bytes have arrived has something unread") {
  loopback one;
  const int fd = one.accepted.socket.get();
  REQUIRE(one.peer->send("unread"));
  REQUIRE(support::eventually([fd] {
    char byte = 0;
    return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }));
  CHECK(bid_farewell(fd));
  CHECK(one.peer->read_all().how == outcome::end_of_stream);
}

TEST_CASE("a client that sent what nobody read gets its answer and the end, no reset") {
  loopback one;
  REQUIRE(one.peer->send("a question that nobody reads"));
  answer(one.accepted.socket.get());
  CHECK(bid_farewell(one.accepted.socket.get()));
  std::thread server([socket = std::move(one.accepted.socket)]() mutable { drain(std::move(socket), 20000ms); });
  // It goes on sending while the answer is under way.
  CHECK(one.peer->send(text));
  const auto got = one.peer->read_all();
  CHECK(got.how == outcome::answered);
  CHECK(got.text.size() == text.size());
  one.peer->close();
  server.join();
}

TEST_CASE("without the farewell such a client is reset") {
  loopback one;
  REQUIRE(one.peer->send("a question that nobody reads"));
  answer(one.accepted.socket.get());
  one.accepted.socket.reset();
  CHECK(one.peer->read_all().how == outcome::reset);
}

TEST_CASE("a client that closes is not waited for any longer") {
  loopback one;
  one.peer->close();
  const support::stopwatch watch;
  drain(std::move(one.accepted.socket), 20000ms);
  CHECK(watch.elapsed() < 10000ms);
}

TEST_CASE("a client that stays is left when the linger is over, silent or not") {
  loopback one;
  SECTION("silent") {
    const support::stopwatch watch;
    drain(std::move(one.accepted.socket), 200ms);
    CHECK(watch.elapsed() >= 195ms);
    CHECK(watch.elapsed() < 10000ms);
  }
  SECTION("it sends without end") {
    std::thread peer([&] {
      while (one.peer->send(text)) {
      }
    });
    const support::stopwatch watch;
    drain(std::move(one.accepted.socket), 200ms);
    CHECK(watch.elapsed() >= 195ms);
    CHECK(watch.elapsed() < 10000ms);
    peer.join();
  }
}

TEST_CASE("a farewell without time, or without a socket, does not wait") {
  loopback one;
  const support::stopwatch watch;
  CHECK_FALSE(bid_farewell(one.accepted.socket.get()));
  drain(std::move(one.accepted.socket), 0ms);
  CHECK(one.peer->read_all().how == outcome::end_of_stream);
  drain(waiter::system::descriptor(), 20000ms);
  CHECK(watch.elapsed() < 10000ms);
}

TEST_CASE("a client that is taken to be silent is only half-closed when it has spoken after all") {
  loopback one;
  const int fd = one.accepted.socket.get();
  if (GENERATE(false, true)) {
    one.peer->send("so it speaks");
    REQUIRE(support::eventually([fd] {
      char byte = 0;
      return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    }));
    CHECK(waiter::bid_farewell_if_it_speaks(fd));
    CHECK(one.peer->read_all().how == outcome::end_of_stream);
  } else {
    CHECK_FALSE(waiter::bid_farewell_if_it_speaks(fd));
    CHECK(::send(fd, "more", 4, MSG_NOSIGNAL) == 4);
  }
  one.accepted.socket.reset();
  CHECK(one.peer->read_all().how != outcome::reset);
}
