#include <waiter/system/passed_sockets.hpp>

#include "support/catch.hpp"

#include <sys/socket.h>
#include <sys/wait.h>

#include <map>
#include <string>
#include <vector>

namespace {

using waiter::system::passed_sockets;

/// What `take` says in a process that was started so: "0:http 1:admin", or why there is none. LISTEN_PID "own" is its own number.
/// Descriptors from 3 on are `open` sockets, and behind the answer stands what is left of the environment, and whether the
/// descriptors would be passed on.
std::string taken(const std::map<std::string, std::string>& environment, int open = 2) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t kid = ::fork();
  if (kid == 0) {
    const int answer = ::fcntl(ends[1], F_DUPFD, 20);
    for (int fd = 3; fd < 20; ++fd) ::close(fd);
    for (int n = 0; n < open; ++n) static_cast<void>(::socket(AF_UNIX, SOCK_STREAM, 0));
    for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value == "own" ? std::to_string(::getpid()).c_str() : value.c_str(), 1);
    const auto all = passed_sockets::take();
    std::string text = all.why_none;
    for (const auto& one : all.all)
      text += (text.empty() ? "" : " ") + std::to_string(one.descriptor) + ':' + one.name + (::fcntl(one.descriptor, F_GETFD) == FD_CLOEXEC ? "" : " passed on");
    for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      if (::getenv(variable)) text += std::string(" ") + variable;
    [[maybe_unused]] const auto written = ::write(answer, text.data(), text.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char part[512];
  for (ssize_t size = 0; (size = ::read(ends[0], part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(size));
  ::close(ends[0]);
  ::waitpid(kid, nullptr, 0);
  return text;
}

}  // namespace

TEST_CASE("what was passed is taken, with its names, and nobody else is told of it") {
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "http:admin"}}) == "3:http 4:admin");
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "http"}}) == "3:http");
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", ":"}}) == "3: 4:");
}

TEST_CASE("without names they are called unknown") {
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "2"}}) == "3:unknown 4:unknown");
}

TEST_CASE("what is meant for nobody, or for another process, is left as it is") {
  CHECK(taken({}) == "none was passed to this process (LISTEN_PID is not set)");
  CHECK(taken({{"LISTEN_PID", "1"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "a:b"}}) ==
        "LISTEN_PID is not this process, so none is meant for it LISTEN_PID LISTEN_FDS LISTEN_FDNAMES");
  CHECK(taken({{"LISTEN_PID", "17x"}, {"LISTEN_FDS", "2"}}).find("LISTEN_PID is not this process") == 0);
}

TEST_CASE("what contradicts itself is nothing, and says why") {
  CHECK(taken({{"LISTEN_PID", "own"}}) == "LISTEN_FDS does not say how many were passed");
  for (const auto* count : {"", "0", "-1", "two", "2 ", "99999999999"})
    CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", count}}) == "LISTEN_FDS does not say how many were passed");
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "3"}}) == "LISTEN_FDS says 3, but descriptor 5 is not open");
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "2147483647"}}) == "LISTEN_FDS says 2147483647, but descriptor 5 is not open");
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "a"}}) == "LISTEN_FDS says 2, but LISTEN_FDNAMES has 1 names");
  CHECK(taken({{"LISTEN_PID", "own"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "a:b:c"}}) == "LISTEN_FDS says 2, but LISTEN_FDNAMES has 3 names");
}
