#include <waiter/client/connected_client.hpp>

#include "loopback.hpp"

#include "support/catch.hpp"
#include "support/deadline.hpp"

#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

namespace {

using waiter::error_code;
using waiter::milliseconds;
using namespace std::chrono_literals;

/// The smallest transport: the bytes as they are.
class bare_client final : public waiter::connected_client<bare_client> {
 public:
  explicit bare_client(waiter::connection&& wire) noexcept : connected_client(std::move(wire)) {}

 private:
  friend class waiter::text_client<bare_client>;
  std::size_t receive(void* data, std::size_t size, error_code& error) { return wire().receive(data, size, error); }
  std::size_t transmit(const void* data, std::size_t size, error_code& error) { return wire().transmit(data, size, error); }
};

struct connected : loopback {
  bare_client client{waiter::connection(std::move(accepted), 5000ms)};
};

/// How long a read of a silent client waits, that fails at its deadline.
milliseconds waits(bare_client& client) {
  const support::stopwatch watch;
  error_code error;
  client.read_line(error);
  CHECK(error == waiter::error::timed_out);
  return watch.elapsed();
}

}  // namespace

TEST_CASE("a client's time may be given in any unit, and is never cut") {
  connected one;
  one.client.expires_after(std::chrono::microseconds(99'001));
  CHECK(waits(one.client) >= 98ms);
  one.client.expires_after(std::chrono::duration<double>(0.05));
  CHECK(waits(one.client) >= 49ms);
  one.client.expires_after(1h);
  one.client.expires_within(50ms);
  one.client.expires_within(1h);
  CHECK(waits(one.client) < 4000ms);
}

TEST_CASE("a client's limits can be lifted") {
  connected one;
  CHECK(one.client.io_timeout() == 5000ms);
  one.client.io_timeout(waiter::never);
  CHECK(one.client.io_timeout() == waiter::never);
  one.client.expires_after(0ms);
  waits(one.client);
  one.client.expires_after(waiter::never);
  REQUIRE(one.peer->send("one\ntwo\n"));
  CHECK(one.client.read_line() == "one");
  one.client.expires_after(0ms);
  one.client.expires_never();
  CHECK(one.client.read_line() == "two");
}

TEST_CASE("the server can take a client's socket; the client is closed then") {
  connected one;
  const int fd = one.client.native_handle();
  CHECK(one.client.is_open());
  const int taken = one.client.take_socket();
  CHECK(taken == fd);
  CHECK_FALSE(one.client.is_open());
  CHECK(one.client.native_handle() == -1);
  REQUIRE(::write(taken, "still open\n", 11) == 11);
  ::close(taken);
  CHECK(one.peer->read_all() == support::answer("still open\n"));
}

TEST_CASE("a closed client says so, and still knows who it was") {
  connected one;
  const auto peer = one.client.peer();
  CHECK(one.client.local() == one.listener.local());
  one.client.close();
  CHECK_FALSE(one.client.is_open());
  CHECK(one.client.peer() == peer);
  CHECK(one.client.local() == bare_client::endpoint());
  error_code error;
  CHECK_FALSE(one.client.read_line(error));
  CHECK(error == waiter::error::not_open);
  one.client.write("x", error);
  CHECK(error == waiter::error::not_open);
  CHECK_THROWS_AS(one.client.write("x"), waiter::system_error);
}

TEST_CASE("a client at its end is known to be") {
  connected one;
  REQUIRE(one.peer->send("bye"));
  one.peer->half_close();
  CHECK(one.client.read_line() == "bye");
  CHECK(one.client.at_end());
  CHECK_FALSE(one.client.read_line());
}
