#include <waiter/transport/plain.hpp>

#include "../client/loopback.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace {

using waiter::error_code;
using waiter::plain;
using namespace std::chrono_literals;

struct connected : loopback {
  plain transport{};
  waiter::plain_client client{transport.welcome(waiter::connection(std::move(accepted), 5000ms))};
};

}  // namespace

TEST_CASE("plain needs nothing, hides nothing, and greets nobody") {
  connected one;
  CHECK(plain::name == "plain");
  STATIC_REQUIRE_FALSE(plain::encrypted);
  CHECK_FALSE(one.transport.prepare({}));
  CHECK_FALSE(one.transport.handshake(one.client));
}

TEST_CASE("a plain client reads and writes bytes as they are") {
  connected one;
  const std::string every_byte = [] {
    std::string text;
    for (int byte = 0; byte < 256; ++byte) text.push_back(static_cast<char>(byte));
    return text;
  }();
  REQUIRE(one.peer->send(every_byte));
  one.peer->half_close();
  CHECK(one.client.read_all() == every_byte);
  one.client.write(every_byte);
  one.client.close();
  CHECK(one.peer->read_all() == support::answer(every_byte));
}

TEST_CASE("what was written to a plain client's stream is sent when it is finished") {
  connected one;
  one.client.stream() << "answer " << 42;
  one.transport.finish(one.client);
  one.client.close();
  CHECK(one.peer->read_all() == support::answer("answer 42"));
}

TEST_CASE("a half-close sends what the stream holds, ends the sending, and reading goes on") {
  connected one;
  one.client.stream() << "all of it";
  one.client.shutdown_send();
  CHECK(one.peer->read_all() == support::answer("all of it"));
  REQUIRE(one.peer->send("thanks\n"));
  CHECK(one.client.read_line() == "thanks");
  one.client.close();
  CHECK_THROWS_AS(one.client.shutdown_send(), waiter::system_error);
}

TEST_CASE("a descriptor that is given away is the caller's, with all that was written and no deadline") {
  connected one;
  REQUIRE(one.peer->send("line\nrest"));
  CHECK(one.client.read_line() == "line");
  CHECK(one.client.buffered() == 4);
  one.client.stream() << "written, ";
  const int fd = one.client.release();
  CHECK_FALSE(one.client.is_open());
  timeval limit{1, 1};
  socklen_t size = sizeof limit;
  REQUIRE(::getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &size) == 0);
  CHECK(limit.tv_sec == 0);
  CHECK(limit.tv_usec == 0);
  one.transport.finish(one.client);
  REQUIRE(::write(fd, "and more", 8) == 8);
  ::close(fd);
  CHECK(one.peer->read_all() == support::answer("written, and more"));
}
