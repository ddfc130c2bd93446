#include <waiter/client/lingering.hpp>

#include "loopback.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using support::outcome;
using waiter::instant;
using waiter::lingering;
using namespace std::chrono_literals;

constexpr instant noon{12h};

/// Looks after them until `count` are left.
bool works_down_to(lingering& guests, std::size_t count, instant now = noon) {
  return support::eventually([&] {
    guests.work(now);
    return guests.size() <= count;
  });
}

}  // namespace

TEST_CASE("nobody lingers at first, and then nobody is waited for") {
  lingering guests;
  std::vector<pollfd> waited;
  guests.watch(waited);
  CHECK(guests.empty());
  CHECK(waited.empty());
  CHECK(guests.next() == instant::max());
  guests.work(noon);
  guests.add(waiter::system::descriptor(), noon);
  CHECK(guests.empty());
}

TEST_CASE("a client that lingers reads to the end, and its own end lets it go") {
  loopback one;
  REQUIRE(one.peer->send("unread"));
  REQUIRE(::write(one.accepted.socket.get(), "refused\n", 8) == 8);
  lingering guests;
  const int fd = one.accepted.socket.get();
  guests.add(std::move(one.accepted.socket), noon + 1s);
  CHECK(guests.size() == 1);
  CHECK(guests.next() == noon + 1s);
  std::vector<pollfd> waited;
  guests.watch(waited);
  REQUIRE(waited.size() == 1);
  CHECK(waited[0].fd == fd);
  CHECK(waited[0].events == POLLIN);

  CHECK(one.peer->read_all() == support::answer("refused\n"));
  guests.work(noon);
  CHECK(guests.size() == 1);
  one.peer->close();
  CHECK(works_down_to(guests, 0));
  CHECK(guests.next() == instant::max());
}

TEST_CASE("a client that resets is let go, too") {
  loopback one;
  lingering guests;
  guests.add(std::move(one.accepted.socket), noon + 1s);
  one.peer->reset();
  CHECK(works_down_to(guests, 0));
}

TEST_CASE("each is let go at its own time, whatever it does") {
  loopback one;
  lingering guests;
  guests.add(std::move(one.accepted.socket), noon + 20ms);
  support::client first = std::move(*one.peer);
  auto second = one.next();
  guests.add(std::move(second.socket), noon + 10ms);
  CHECK(guests.next() == noon + 10ms);
  guests.work(noon + 9ms);
  CHECK(guests.size() == 2);
  REQUIRE(one.peer->send("still talking"));
  guests.work(noon + 10ms);
  CHECK(guests.size() == 1);
  CHECK(guests.next() == noon + 20ms);
  guests.work(noon + 1h);
  CHECK(guests.empty());
}

TEST_CASE("past the limit the oldest goes") {
  loopback one;
  lingering guests;
  std::vector<support::client> peers;
  guests.add(std::move(one.accepted.socket), noon + 1s);
  peers.push_back(std::move(*one.peer));
  while (guests.size() < lingering::most) {
    auto next = one.next();
    guests.add(std::move(next.socket), noon + 1s);
    peers.push_back(std::move(*one.peer));
  }
  // The half-closed connection still takes bytes; a closed one answers with a reset.
  auto last = one.next();
  guests.add(std::move(last.socket), noon + 1s);
  CHECK(guests.size() == lingering::most);
  CHECK(peers[0].read_all().how == outcome::end_of_stream);
  CHECK(support::eventually([&] { return !peers[0].send("x"); }));
  CHECK(peers[1].send("x"));
  guests.clear();
  CHECK(guests.empty());
}

TEST_CASE("a client that resets is let go at once") {
  loopback one;
  lingering guests;
  guests.add(std::move(one.accepted.socket), noon + 1h);
  one.peer->reset();
  CHECK(works_down_to(guests, 0));
}
