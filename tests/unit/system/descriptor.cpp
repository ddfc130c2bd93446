#include <waiter/system/descriptor.hpp>

#include "support/catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace {

using waiter::system::descriptor;

int fresh() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST_CASE("a descriptor is closed with its owner, once") {
  const int fd = fresh();
  {
    const descriptor one(fd);
    CHECK(one);
    CHECK(one.get() == fd);
  }
  CHECK_FALSE(is_open(fd));
  CHECK_FALSE(descriptor());
  CHECK(descriptor().get() == -1);
}

TEST_CASE("who is moved from owns nothing") {
  const int fd = fresh();
  descriptor one(fd);
  descriptor other(std::move(one));
  CHECK(one.get() == -1);
  CHECK(other.get() == fd);
  one = std::move(other);
  CHECK(one.get() == fd);
  CHECK(is_open(fd));
  auto& same = one;
  one = std::move(same);
  CHECK(one.get() == fd);
  CHECK(is_open(fd));
}

TEST_CASE("what takes its place closes what was there") {
  const int first = fresh(), second = fresh();
  descriptor one(first);
  one.reset(second);
  CHECK_FALSE(is_open(first));
  one = descriptor();
  CHECK_FALSE(is_open(second));
  CHECK_FALSE(one);
}

TEST_CASE("a released descriptor stays open") {
  const int fd = fresh();
  {
    descriptor one(fd);
    CHECK(one.release() == fd);
    CHECK_FALSE(one);
  }
  CHECK(is_open(fd));
  ::close(fd);
}
