#include <waiter/system/discard.hpp>
#include <waiter/system/listener.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/client.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <string>

TEST_CASE("what a client sent is thrown away, and its end is seen") {
  waiter::system::listener listener;
  waiter::error_code error;
  listener.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 1, waiter::never, error);
  REQUIRE_FALSE(error);
  support::client client(listener.local().port());
  const auto accepted = listener.accept(error);
  REQUIRE(accepted);
  const int fd = accepted->socket.get();
  CHECK(waiter::system::discard(fd, MSG_DONTWAIT) == -1);
  CHECK(errno == EAGAIN);

  const std::string text(100'000, 'x');
  REQUIRE(client.send(text));
  std::size_t thrown_away = 0;
  while (thrown_away < text.size()) {
    const auto count = waiter::system::discard(fd, 0);
    REQUIRE(count > 0);
    thrown_away += static_cast<std::size_t>(count);
  }
  CHECK(thrown_away == text.size());
  client.close();
  CHECK(waiter::system::discard(fd, 0) == 0);
  CHECK(waiter::system::discard(fd, 0) == 0);
}
