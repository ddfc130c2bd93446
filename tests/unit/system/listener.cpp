#include <waiter/system/listener.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"
#include "support/temp_directory.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
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

namespace {

using waiter::system::descriptor;
using waiter::system::unix_address;

/// A client of a UNIX socket, connected if that could be done.
struct local_client {
  descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  bool connected;

  explicit local_client(const std::string& where) {
    const auto address = unix_address::of(where);
    connected = ::connect(socket.get(), address->data(), address->size()) == 0;
  }
};

struct opened_locally : listener {
  explicit opened_locally(const std::string& where) {
    error_code error;
    open_local(where, 0, 16, error);
    REQUIRE_FALSE(error);
    accept_timeout(5000ms);
  }
};

std::string abstract_name() { return "@waiter listener " + std::to_string(::getpid()); }

/// Another descriptor of the same socket, as another process would have it.
int copy_of(const listener& one) { return ::fcntl(one.get(), F_DUPFD_CLOEXEC, 0); }

}  // namespace

TEST_CASE("a UNIX socket is listened on by path and by abstract name; its clients have no endpoint and no limits") {
  const support::temp_directory directory;
  const std::string where = GENERATE(true, false) ? (directory / "x.sock").string() : abstract_name();
  opened_locally one(where);
  CHECK(one.is_local());
  CHECK(one.name() == "unix:" + where);
  CHECK(one.local() == listener::endpoint());
  const local_client client(where);
  REQUIRE(client.connected);
  error_code error;
  const auto accepted = one.accept(error);
  REQUIRE(accepted);
  CHECK(accepted->peer == listener::endpoint());
  CHECK(accepted->receive_timeout == never);
  CHECK(accepted->send_timeout == never);
  CHECK(time_option(accepted->socket.get(), SO_RCVTIMEO) == 0ms);
  CHECK(time_option(accepted->socket.get(), SO_SNDTIMEO) == 0ms);
  one.accept_timeout(50ms);
  CHECK_FALSE(one.accept(error));
  CHECK(error == boost::system::errc::timed_out);
}

TEST_CASE("a UNIX socket's file goes with it; an abstract name can be had once") {
  const support::temp_directory directory;
  const auto path = directory / "x.sock";
  {
    opened_locally one(path.string());
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));

  opened_locally first(abstract_name());
  listener second;
  error_code error;
  second.open_local(abstract_name(), 0, 16, error);
  CHECK(error == boost::system::errc::address_in_use);
  CHECK_FALSE(second);
}

TEST_CASE("a UNIX socket that is shut refuses who comes, and gives those who wait") {
  opened_locally one(abstract_name());
  const local_client waiting(abstract_name());
  REQUIRE(waiting.connected);
  one.stop_waiting();
  CHECK(one.shut());
  CHECK_FALSE(local_client(abstract_name()).connected);
  error_code error;
  CHECK(one.accept(error));
  CHECK_FALSE(one.accept(error));
  CHECK(error == boost::system::errc::resource_unavailable_try_again);
}

TEST_CASE("a socket is taken over with what stands on it, and tells who it is") {
  opened one("127.0.0.1", 700ms);
  one.never_wait();
  listener heir;
  error_code error;
  heir.adopt(copy_of(one), error);
  REQUIRE_FALSE(error);
  CHECK(heir.name() == one.name());
  CHECK_FALSE(heir.is_local());
  CHECK_FALSE(heir.is_shared());
  CHECK(heir.blocks());
  CHECK(heir.accept_timeout() == 5000ms);
  support::client client(one.local().port());
  const auto accepted = heir.accept(error);
  REQUIRE(accepted);
  CHECK(accepted->send_timeout == time_option(accepted->socket.get(), SO_SNDTIMEO));
  CHECK(accepted->receive_timeout == 5000ms);
}

TEST_CASE("what is no listening socket of streams is not taken over, and stays open") {
  const int datagrams = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const descriptor close_them[] = {descriptor(datagrams), descriptor(silent), descriptor(file)};
  const auto refused = [](int fd) {
    listener one;
    error_code error;
    one.adopt(fd, error);
    CHECK_FALSE(one);
    return error;
  };
  CHECK(refused(datagrams) == boost::system::errc::wrong_protocol_type);
  CHECK(refused(silent) == boost::system::errc::invalid_argument);
  CHECK(refused(file) == boost::system::errc::not_a_socket);
  CHECK(refused(-1) == boost::system::errc::bad_file_descriptor);
  for (const auto& one : close_them) CHECK(::fcntl(one.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("a socket that was lent stays open when the listener is closed") {
  opened one;
  const descriptor theirs(copy_of(one));
  {
    listener borrower;
    error_code error;
    borrower.adopt(theirs.get(), error);
    REQUIRE_FALSE(error);
    borrower.share();
    borrower.lend();
  }
  CHECK(::fcntl(theirs.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("the file of a UNIX socket that others go on using stays; who owns it alone takes it along") {
  const support::temp_directory directory;
  const auto path = directory / "x.sock";
  auto first = std::make_unique<opened_locally>(path.string());
  listener heir;
  error_code error;
  heir.adopt(copy_of(*first), error);
  REQUIRE_FALSE(error);
  first->share();
  first.reset();
  REQUIRE(std::filesystem::exists(path));
  CHECK(local_client(path.string()).connected);
  heir.own();
  heir.close();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("that nobody is to come any more is seen by all who share the socket, and is not the same as not to wait") {
  opened one;
  const descriptor theirs(copy_of(one));
  CHECK(one.waits());
  one.never_wait();
  CHECK(one.waits());
  CHECK_FALSE(one.blocks());
  one.stop_waiting();
  CHECK_FALSE(one.waits());
  CHECK((::fcntl(theirs.get(), F_GETFL) & (O_NONBLOCK | O_APPEND)) == (O_NONBLOCK | O_APPEND));
}

TEST_CASE("a UNIX socket that was shut cannot be mended, one that does not wait can; what others share is theirs to mend") {
  opened_locally one(abstract_name());
  error_code error;
  CHECK_FALSE(one.mend(error));
  ::fcntl(one.get(), F_SETFL, O_NONBLOCK);
  CHECK(one.mend(error));
  CHECK_FALSE(error);
  CHECK(one.blocks());
  one.never_wait();
  CHECK_FALSE(one.mend(error));
  CHECK_FALSE(one.blocks());
  CHECK(one.shut());
  CHECK(one.mend(error));
  CHECK(error == boost::system::errc::invalid_argument);

  opened shared;
  shared.share();
  ::fcntl(shared.get(), F_SETFL, O_NONBLOCK);
  CHECK_FALSE(shared.mend(error));
  CHECK_FALSE(shared.blocks());
  CHECK(shared.shut());
  CHECK(shared.mend(error));
  CHECK(error == boost::system::errc::invalid_argument);
}
