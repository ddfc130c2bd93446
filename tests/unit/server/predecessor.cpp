#include <waiter/server/predecessor.hpp>

#include "support/catch.hpp"

#include <boost/asio/ip/address.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using waiter::instant;
using waiter::predecessor;
using waiter::system::upgrade_channel;
using heard = upgrade_channel::heard;

/// What it asks of a server.
struct some_host {
  waiter::doorway& doorway() { return door; }
  bool ready_to_serve() const { return ready; }
  void give_up() { gave_up = true; }
  template <class... Parts>
  void log(const Parts&...) {
    ++lines;
  }

  waiter::doorway door;
  bool ready = true, gave_up = false;
  int lines = 0;
};

/// A server that has started this process as its successor.
struct before {
  before() {
    waiter::error_code error;
    auto ends = upgrade_channel::make(error);
    channel = std::move(ends.first);
    theirs = ::fcntl(ends.second.get(), F_DUPFD, 0);
    for (auto* one : {&first, &second}) {
      one->open({boost::asio::ip::make_address("127.0.0.1"), 0}, 10, waiter::never, error);
      REQUIRE_FALSE(error);
      sockets.push_back(::fcntl(one->get(), F_DUPFD, 0));
    }
    ::setenv("WAITER_UPGRADE", waiter::heritage{theirs, {{sockets[0]}, {sockets[1]}}}.text().c_str(), 1);
  }
  ~before() { ::unsetenv("WAITER_UPGRADE"); }

  upgrade_channel channel;
  waiter::system::listener first, second;
  std::vector<int> sockets;
  int theirs = -1;
};

/// Takes the first of the sockets, and leaves the other one.
void take_one(predecessor& one, some_host& host, const before& old) {
  one.look();
  const int taken = one.take([&](int socket) { return socket == old.sockets[0]; });
  REQUIRE(taken == old.sockets[0]);
  waiter::error_code error;
  host.door.listener().adopt(taken, error);
  REQUIRE_FALSE(error);
  one.leave_rest();
}

}  // namespace

TEST_CASE("without a word in the environment there is none") {
  predecessor one;
  one.look();
  CHECK_FALSE(one.busy());
  CHECK_FALSE(one.lives());
  CHECK(one.descriptor() == -1);
  CHECK(one.take([](int) { return true; }) == -1);
}

TEST_CASE("what is no heritage, or no channel, is thrown away") {
  for (const std::string text : {"", "nonsense", "0", "0:1", "987654:1"}) {
    ::setenv("WAITER_UPGRADE", text.c_str(), 1);
    predecessor one;
    one.look();
    CHECK_FALSE(one.busy());
    CHECK(std::getenv("WAITER_UPGRADE") == nullptr);
  }
}

TEST_CASE("its descriptors and its word go to no program that this process starts, and what is not taken is closed") {
  const before old;
  some_host host;
  predecessor one;
  take_one(one, host, old);
  CHECK(std::getenv("WAITER_UPGRADE") == nullptr);
  CHECK((::fcntl(old.theirs, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(old.sockets[0], F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(::fcntl(old.sockets[1], F_GETFD) == -1);
  CHECK(one.take([](int) { return true; }) == -1);
}

TEST_CASE("it is told once that this server serves, with the sockets that were taken over, and not before") {
  const before old;
  some_host host;
  predecessor one;
  take_one(one, host, old);
  host.ready = false;
  CHECK(one.work(host) != instant::max());
  CHECK(old.channel.hear().what == heard::silence);
  CHECK(one.descriptor() == -1);
  host.ready = true;
  CHECK(one.work(host) == instant::max());
  CHECK(old.channel.hear().text == waiter::ready_message({old.sockets[0]}));
  CHECK(one.descriptor() == old.theirs);
  CHECK(one.busy());
  one.work(host);
  CHECK(old.channel.hear().what == heard::silence);
}

TEST_CASE("when it says so, or is gone, this server is the only one; while it lives, that is known") {
  std::optional<before> old(std::in_place);
  some_host host;
  predecessor one;
  take_one(one, host, *old);
  one.work(host);
  SECTION("it says so") {
    CHECK(old->channel.say("serve"));
    one.work(host);
    CHECK_FALSE(one.busy());
    CHECK(one.lives());
    old.reset();
  }
  SECTION("it is gone") {
    old.reset();
    one.work(host);
  }
  CHECK_FALSE(one.busy());
  CHECK_FALSE(one.lives());
  CHECK(one.descriptor() == -1);
  one.settle(host);
  CHECK_FALSE(host.door.listener().is_shared());
  CHECK_FALSE(host.gave_up);
}

TEST_CASE("one that serves on sends this server away, and keeps its sockets") {
  const before old;
  some_host host;
  predecessor one;
  take_one(one, host, old);
  one.work(host);
  CHECK(old.channel.say("leave"));
  one.work(host);
  CHECK(host.gave_up);
  CHECK(host.lines == 1);
  CHECK(host.door.listener().is_shared());
}

TEST_CASE("a server that stops before it is the only one closes its sockets to nobody") {
  std::optional<before> old(std::in_place);
  some_host host;
  predecessor one;
  take_one(one, host, *old);
  const bool told = GENERATE(true, false);
  if (told) one.work(host);
  SECTION("the other one lives") {
    one.settle(host);
    CHECK(host.door.listener().is_shared());
  }
  SECTION("the other one is gone") {
    old.reset();
    one.settle(host);
    CHECK_FALSE(host.door.listener().is_shared());
  }
}
