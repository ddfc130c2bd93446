#include <waiter/system/take_connected.hpp>

#include "support/catch.hpp"

#include <waiter/system/listener.hpp>

#include "support/client.hpp"

#include <array>

namespace {

using waiter::error_code;
using waiter::system::descriptor;
using waiter::system::take_connected;

}  // namespace

TEST_CASE("a client that somebody else has accepted is taken, with its endpoint, and not passed on") {
  waiter::system::listener door;
  error_code error;
  door.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 8, waiter::never, error);
  REQUIRE_FALSE(error);
  support::client visitor(door.local().port());
  const int fd = ::accept(door.get(), nullptr, nullptr);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  const auto taken = take_connected(fd, error);
  REQUIRE(taken);
  CHECK_FALSE(error);
  CHECK(taken->socket.get() == fd);
  CHECK(taken->peer.address().to_string() == "127.0.0.1");
  CHECK(taken->peer.port() != 0);
  CHECK(::fcntl(fd, F_GETFD) == FD_CLOEXEC);
  CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a client over a UNIX socket has no endpoint; what stands on it is known") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const descriptor theirs(ends[1]);
  waiter::system::set_socket_timeout(ends[0], SO_RCVTIMEO, waiter::milliseconds(2000));
  error_code error;
  const auto taken = take_connected(ends[0], error);
  REQUIRE(taken);
  CHECK(taken->peer == boost::asio::ip::tcp::endpoint());
  CHECK(taken->receive_timeout == waiter::milliseconds(2000));
  CHECK(taken->send_timeout == waiter::never);
}

TEST_CASE("what nobody is connected to is not taken, and stays open") {
  const descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC)), datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      alone(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  error_code error;
  CHECK_FALSE(take_connected(file.get(), error));
  CHECK(error == boost::system::errc::not_a_socket);
  CHECK_FALSE(take_connected(datagrams.get(), error));
  CHECK(error == boost::system::errc::wrong_protocol_type);
  CHECK_FALSE(take_connected(alone.get(), error));
  CHECK(error == boost::system::errc::not_connected);
  CHECK_FALSE(take_connected(-1, error));
  CHECK(error == boost::system::errc::bad_file_descriptor);
  for (const auto* one : {&file, &datagrams, &alone}) CHECK(::fcntl(one->get(), F_GETFD) == FD_CLOEXEC);
}
