#include <waiter/system/socket_timeout.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

TEST_CASE("a socket has the limit that it was given, rounded up by the kernel, and no limit of never") {
  using waiter::milliseconds;
  struct row {
    milliseconds given;
    milliseconds least, most;
  };
  const row table[] = {
      {milliseconds(1500), milliseconds(1500), milliseconds(1500)},
      {milliseconds(250), milliseconds(250), milliseconds(260)},
      {milliseconds(1), milliseconds(1), milliseconds(10)},
      {milliseconds(0), milliseconds(1), milliseconds(10)},
      {milliseconds(-5), milliseconds(1), milliseconds(10)},
      {milliseconds::min(), milliseconds(1), milliseconds(10)},
      {waiter::never, milliseconds(0), milliseconds(0)},
      {std::chrono::hours(24 * 365), std::chrono::hours(24 * 365), std::chrono::hours(24 * 365)},
  };
  const stream_pair pair;
  for (const auto& row : table) {
    for (const int which : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      CAPTURE(row.given.count(), which);
      CHECK(waiter::system::set_socket_timeout(pair.ours.get(), which, row.given));
      timeval stands{};
      socklen_t size = sizeof stands;
      REQUIRE(::getsockopt(pair.ours.get(), SOL_SOCKET, which, &stands, &size) == 0);
      const milliseconds seen(stands.tv_sec * 1000 + stands.tv_usec / 1000);
      CHECK(seen >= row.least);
      CHECK(seen <= row.most);
    }
  }
}

TEST_CASE("what is no socket takes no limit") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK_FALSE(waiter::system::set_socket_timeout(ends[0], SO_RCVTIMEO, waiter::milliseconds(100)));
  CHECK_FALSE(waiter::system::set_socket_timeout(-1, SO_RCVTIMEO, waiter::milliseconds(100)));
  ::close(ends[0]);
  ::close(ends[1]);
}
