#include <waiter/system/wake_up.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <fcntl.h>
#include <unistd.h>

TEST_CASE("a ring is seen until it is cleared, and many are one") {
  waiter::system::wake_up bell;
  waiter::error_code error;
  bell.open(error);
  REQUIRE_FALSE(error);
  CHECK_FALSE(readable(bell.get()));
  bell.ring();
  bell.ring();
  CHECK(readable(bell.get()));
  bell.clear();
  CHECK_FALSE(readable(bell.get()));
  bell.clear();
}

TEST_CASE("to ring never blocks: a full channel has woken the parent already") {
  waiter::system::wake_up bell;
  waiter::error_code error;
  bell.open(error);
  REQUIRE_FALSE(error);
  for (int i = 0; i < 200'000; ++i) bell.ring();
  CHECK(readable(bell.get()));
  int turns = 0;
  while (readable(bell.get()) && turns < 1000) bell.clear(), ++turns;
  CHECK_FALSE(readable(bell.get()));
}

TEST_CASE("a kid's end only rings, and neither end is passed on to another program") {
  const auto before = support::descriptors_of(::getpid());
  waiter::system::wake_up bell;
  waiter::error_code error;
  bell.open(error);
  REQUIRE_FALSE(error);
  for (const int fd : support::descriptors_of(::getpid()))
    if (!before.contains(fd)) CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  bell.only_ring();
  CHECK(bell.get() == -1);
  const taken_signals no_death_by_sigpipe;
  bell.ring();
  bell.close();
  bell.ring();
  CHECK(support::descriptors_of(::getpid()).size() == before.size() + 2);  // those of the signals
}
