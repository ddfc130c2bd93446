#include <waiter/system/listener.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>

namespace {

using waiter::error_code;
using waiter::milliseconds;
using waiter::never;
using waiter::system::listener;
using namespace std::chrono_literals;

listener::endpoint at(const char* address, std::uint16_t port = 0) { return {boost::asio::ip::make_address(address), port}; }

/// Opened on any port; `accept` waits 5 s at most, so that nothing hangs.
struct opened : listener {
  explicit opened(const char* address = "127.0.0.1", milliseconds send_timeout = never) {
    error_code error;
    open(at(address), 16, send_timeout, error);
    REQUIRE_FALSE(error);
    accept_timeout(5000ms);
  }
};

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

milliseconds time_option(int fd, int name) {
  timeval value{};
  socklen_t size = sizeof value;
  REQUIRE(::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0);
  return milliseconds(value.tv_sec * 1000 + value.tv_usec / 1000);
}

std::uint16_t port_of(int fd) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

bool has_ipv6() {
  const waiter::system::descriptor probe(::socket(AF_INET6, SOCK_STREAM, 0));
  const auto here = at("::1");
  return probe && ::bind(probe.get(), here.data(), static_cast<socklen_t>(here.size())) == 0;
}

}  // namespace

TEST_CASE("a listener tells the port that the kernel chose, and accepts there") {
  opened one;
  CHECK(one.local().port() != 0);
  CHECK(one.local().address().to_string() == "127.0.0.1");
  support::client client(one.local().port());
  error_code error;
  const auto accepted = one.accept(error);
  REQUIRE(accepted);
  CHECK_FALSE(error);
  CHECK(accepted->peer == at("127.0.0.1", port_of(client.descriptor())));
}

TEST_CASE("no descriptor of a listener is passed on to another program") {
  opened one;
  support::client client(one.local().port());
  error_code error;
  const auto accepted = one.accept(error);
  REQUIRE(accepted);
  CHECK(::fcntl(one.get(), F_GETFD) == FD_CLOEXEC);
  CHECK(::fcntl(accepted->socket.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("an accept that finds nobody ends after its timeout, and the next one does, too") {
  opened one;
  one.accept_timeout(50ms);
  CHECK(one.accept_timeout() == 50ms);
  for (int round = 0; round < 2; ++round) {
    const support::stopwatch watch;
    error_code error;
    CHECK_FALSE(one.accept(error));
    CHECK(error == boost::system::errc::timed_out);
    CHECK(watch.elapsed() >= 45ms);
    CHECK(watch.elapsed() < 4000ms);
  }
  one.accept_timeout(never);
  CHECK(time_option(one.get(), SO_RCVTIMEO) == 0ms);
}

TEST_CASE("a client has the timeouts that are told, and what every client is given") {
  opened one("127.0.0.1", 700ms);
  one.accept_timeout(2000ms);
  support::client client(one.local().port());
  error_code error;
  const auto accepted = one.accept(error);
  REQUIRE(accepted);
  const int fd = accepted->socket.get();
  CHECK(accepted->receive_timeout == 2000ms);
  CHECK(accepted->send_timeout == 700ms);
  // The kernel counts in its own ticks, of up to 10 ms.
  CHECK(time_option(fd, SO_RCVTIMEO) == 2000ms);
  CHECK(time_option(fd, SO_SNDTIMEO) >= 700ms);
  CHECK(time_option(fd, SO_SNDTIMEO) <= 710ms);
  CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
}

TEST_CASE("without limits a client has none, and says so") {
  opened one;
  one.accept_timeout(never);
  support::client client(one.local().port());
  error_code error;
  const auto accepted = one.accept(error);
  REQUIRE(accepted);
  CHECK(accepted->receive_timeout == never);
  CHECK(accepted->send_timeout == never);
  CHECK(time_option(accepted->socket.get(), SO_RCVTIMEO) == 0ms);
  CHECK(time_option(accepted->socket.get(), SO_SNDTIMEO) == 0ms);
}

TEST_CASE("a listener on :: takes IPv6 and IPv4") {
  if (!has_ipv6()) WAITER_SKIP("no IPv6 here");
  opened one("::");
  error_code error;
  support::client six(one.local().port(), "::1");
  auto accepted = one.accept(error);
  REQUIRE(accepted);
  CHECK(accepted->peer.address().to_string() == "::1");
  support::client four(one.local().port(), "127.0.0.1");
  accepted = one.accept(error);
  REQUIRE(accepted);
  CHECK(accepted->peer.address().to_v6().is_v4_mapped());
}

TEST_CASE("a port that somebody listens on is an error, and nothing stays open") {
  const support::occupied_port theirs("127.0.0.1");
  const auto before = support::descriptors_of(::getpid());
  listener one;
  error_code error;
  one.open(at("127.0.0.1", theirs.number()), 16, never, error);
  CHECK(error == boost::system::errc::address_in_use);
  CHECK_FALSE(one);
  CHECK(one.get() == -1);
  CHECK(support::descriptors_of(::getpid()) == before);
}

TEST_CASE("an address that this machine does not have is an error") {
  listener one;
  error_code error;
  one.open(at("203.0.113.1"), 16, never, error);
  CHECK(error == boost::system::errc::address_not_available);
  CHECK_FALSE(one);
}

TEST_CASE("a port can be listened on again while clients of before are in the last state of TCP") {
  std::uint16_t port = 0;
  {
    opened one;
    port = one.local().port();
    support::client client(port);
    error_code error;
    auto accepted = one.accept(error);
    REQUIRE(accepted);
    // Who closes first keeps the address for a while (TIME_WAIT).
    accepted->socket.reset();
    CHECK(client.read_all().how == support::outcome::end_of_stream);
  }
  listener again;
  error_code error;
  again.open(at("127.0.0.1", port), 16, never, error);
  CHECK_FALSE(error);
}

TEST_CASE("a signal ends an accept, and the client that comes then is accepted by the next") {
  const taken_signals signals;
  opened one;
  error_code error;
  ::raise(SIGUSR1);
  CHECK_FALSE(one.accept(error));
  CHECK(error == boost::system::errc::interrupted);
  waiter::system::mailbox.look();
  support::client client(one.local().port());
  CHECK(one.accept(error));
  CHECK_FALSE(error);
}

TEST_CASE("a listener that somebody has shut down, or set to O_NONBLOCK, is mended: it waits, and on the same port") {
  const auto mends = [](listener& one) {
    error_code error;
    CHECK(one.mend(error));
    CHECK_FALSE(error);
    CHECK_FALSE(one.mend(error));  // nothing is amiss any more
    CHECK_FALSE(error);
    CHECK(one.waits());
    support::client client(one.local().port());
    CHECK(one.accept(error));
  };
  opened one;
  const auto port = one.local().port();
  ::shutdown(one.get(), SHUT_RDWR);
  CHECK_FALSE(support::client(port).connected());
  mends(one);
  CHECK(one.local().port() == port);

  one.stop_waiting();
  mends(one);

  ::shutdown(one.get(), SHUT_RD);
  one.stop_waiting();
  mends(one);
  CHECK(one.local().port() == port);

  // A port that was asked for is bound to the socket for good.
  one.close();
  listener asked_for;
  error_code error;
  asked_for.open(at("127.0.0.1", port), 16, never, error);
  REQUIRE_FALSE(error);
  asked_for.accept_timeout(5000ms);
  ::shutdown(asked_for.get(), SHUT_RDWR);
  mends(asked_for);
  CHECK(asked_for.local().port() == port);
}

TEST_CASE("what cannot be mended says why") {
  opened one;
  const auto here = one.local();
  ::shutdown(one.get(), SHUT_RDWR);
  const waiter::system::descriptor thief(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::bind(thief.get(), here.data(), static_cast<socklen_t>(here.size())) == 0);
  error_code error;
  CHECK(one.mend(error));
  CHECK(error == boost::system::errc::address_in_use);
  one.close();
  CHECK(one.mend(error));
  CHECK(error == boost::system::errc::bad_file_descriptor);
}

TEST_CASE("a closed listener accepts nobody, and its port refuses") {
  opened one;
  const auto port = one.local().port();
  one.close();
  CHECK_FALSE(one);
  error_code error;
  CHECK_FALSE(one.accept(error));
  CHECK(error == boost::system::errc::bad_file_descriptor);
  CHECK_FALSE(support::client(port).connected());
}
