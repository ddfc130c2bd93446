#include <waiter/system/socket_file.hpp>

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using waiter::error_code;
using waiter::system::descriptor;
using waiter::system::socket_file;
using waiter::system::unix_address;

descriptor stream() { return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

bool reachable(const std::string& path) {
  const auto client = stream();
  const auto address = unix_address::of(path);
  return ::connect(client.get(), address->data(), address->size()) == 0;
}

mode_t mode_of(const std::string& path) {
  struct stat there {};
  REQUIRE(::lstat(path.c_str(), &there) == 0);
  return there.st_mode & 0777;
}

/// A place for sockets, and one that listens there.
struct scene {
  support::temp_directory directory{};
  std::string path = (directory.path() / "x.sock").string();
  descriptor socket = stream();
  socket_file file{};

  error_code make(mode_t mode = 0) { return make(file, socket, mode); }
  error_code make(socket_file& which, descriptor& of, mode_t mode = 0) {
    error_code error;
    which.make(of.get(), path, mode, 8, error);
    return error;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()));
  }
};

}  // namespace

TEST_CASE("who finds the file is let in, and there is no other file") {
  scene one;
  CHECK_FALSE(one.make());
  CHECK(reachable(one.path));
  CHECK(one.entries() == 1);
  one.file.remove();
  CHECK(one.entries() == 0);
}

TEST_CASE("the mode is the one asked for, whatever the umask") {
  const mode_t before = ::umask(0077);
  scene one;
  const auto error = one.make(0662);
  ::umask(before);
  CHECK_FALSE(error);
  CHECK(mode_of(one.path) == 0662);
}

TEST_CASE("without a mode the umask decides") {
  const mode_t before = ::umask(0027);
  scene one;
  const auto error = one.make();
  ::umask(before);
  CHECK_FALSE(error);
  CHECK(mode_of(one.path) == 0750);
}

TEST_CASE("a file that a server left behind is replaced") {
  scene one;
  {
    socket_file left;
    auto dead = stream();
    CHECK_FALSE(one.make(left, dead));
  }
  REQUIRE(fs::exists(one.path));
  CHECK_FALSE(reachable(one.path));
  CHECK_FALSE(one.make());
  CHECK(reachable(one.path));
  CHECK(one.entries() == 1);
}

TEST_CASE("the socket of a server that lives is left alone, be it too busy to take anybody") {
  const bool full = GENERATE(false, true);
  CAPTURE(full);
  scene one;
  REQUIRE_FALSE(one.make());
  std::vector<descriptor> crowd;
  if (full) {
    const auto address = unix_address::of(one.path);
    for (int n = 0; n < 9; ++n) {
      crowd.push_back(stream());
      REQUIRE(::connect(crowd.back().get(), address->data(), address->size()) == 0);
    }
  }
  socket_file second;
  auto socket = stream();
  CHECK(one.make(second, socket) == boost::system::errc::address_in_use);
  second.remove();
  CHECK(fs::exists(one.path));
  CHECK(one.entries() == 1);
}

TEST_CASE("somebody's datagram socket is left alone") {
  scene one;
  const descriptor datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto address = unix_address::of(one.path);
  REQUIRE(::bind(datagrams.get(), address->data(), address->size()) == 0);
  CHECK(one.make() == boost::system::errc::address_in_use);
  CHECK(one.entries() == 1);
}

TEST_CASE("a file that is no socket is left alone") {
  scene one;
  std::ofstream(one.path) << "precious";
  CHECK(one.make() == boost::system::errc::file_exists);
  CHECK(fs::file_size(one.path) == 8);
  CHECK(one.entries() == 1);
}

TEST_CASE("a directory that is not there is an error, and nothing is left") {
  scene one;
  one.path = (one.directory.path() / "absent" / "x.sock").string();
  CHECK(one.make() == boost::system::errc::no_such_file_or_directory);
  CHECK(one.entries() == 0);
}

TEST_CASE("a path that is too long is an error") {
  scene one;
  one.path = '/' + std::string(unix_address::longest, 'x');
  CHECK(one.make() == boost::system::errc::filename_too_long);
}

TEST_CASE("a file that another server has put in its place is not removed") {
  scene one;
  REQUIRE_FALSE(one.make());
  REQUIRE(::unlink(one.path.c_str()) == 0);
  socket_file second;
  auto socket = stream();
  REQUIRE_FALSE(one.make(second, socket));
  one.file.remove();
  CHECK(reachable(one.path));
}

TEST_CASE("a kid removes nothing") {
  scene one;
  REQUIRE_FALSE(one.make());
  const pid_t kid = ::fork();
  if (kid == 0) {
    one.file.remove();
    ::_exit(0);
  }
  REQUIRE(::waitpid(kid, nullptr, 0) == kid);
  CHECK(reachable(one.path));
}

TEST_CASE("what was handed on is not removed, and what was taken over is") {
  scene one;
  REQUIRE_FALSE(one.make());
  one.file.forget();
  one.file.remove();
  CHECK(reachable(one.path));
  socket_file heir;
  heir.adopt(one.path);
  heir.remove();
  CHECK(one.entries() == 0);
}
