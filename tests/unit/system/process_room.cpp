#include "support/catch.hpp"
#include <waiter/system/process_room.hpp>

#include <sys/resource.h>
#include <unistd.h>

using waiter::system::process_room;

TEST_CASE("open descriptors are counted, and nothing stays open for it") {
  const auto before = process_room().open_descriptors;
  CHECK(before >= 3);
  int two[2];
  REQUIRE(::pipe(two) == 0);
  CHECK(process_room().open_descriptors == before + 2);
  ::close(two[0]);
  ::close(two[1]);
  CHECK(process_room().open_descriptors == before);
}

TEST_CASE("the limit of descriptors is the one that the kernel keeps to") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit fewer{100, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &fewer) == 0);
  CHECK(process_room().most_descriptors == 100);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("root has as many processes as it likes, everybody else as many as the limit says") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NPROC, &limit) == 0);
  const bool bound = ::geteuid() != 0 && limit.rlim_cur != RLIM_INFINITY;
  CHECK(process_room().most_processes == (bound ? static_cast<std::int64_t>(limit.rlim_cur) : waiter::room::unlimited));
}
