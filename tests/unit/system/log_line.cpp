#include <waiter/system/log_line.hpp>

#include "taken_signals.hpp"

#include "support/catch.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace {

/// Puts something in the place of standard error for one case.
class other_stderr {
 public:
  /// -1 closes it.
  explicit other_stderr(int instead) : before_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10)) {
    if (instead >= 0)
      ::dup2(instead, STDERR_FILENO);
    else
      ::close(STDERR_FILENO);
  }
  ~other_stderr() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  other_stderr(const other_stderr&) = delete;
  other_stderr& operator=(const other_stderr&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("a line has the time, the process and the text, and is written at once") {
  // Each write on such a socket is a message of its own.
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  {
    const other_stderr captured(ends[1]);
    waiter::system::write_log_line("the text, " + std::string(3000, 'x'));
    waiter::system::write_log_line("");
  }
  std::string got(8192, '\0');
  got.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(ends[0], got.data(), got.size(), 0))));
  const std::string pid = std::to_string(::getpid());
  // 2000-01-02 03:04:05 [PID] the text
  for (std::size_t at = 0; at < 19; ++at) {
    const char kind = "dddd-dd-dd dd:dd:dd"[at];
    CAPTURE(got, at);
    CHECK((kind == 'd' ? got[at] >= '0' && got[at] <= '9' : got[at] == kind));
  }
  CHECK(got.substr(19).starts_with(" [" + pid + "] the text, xxx"));
  CHECK(got.ends_with("xxx\n"));
  CHECK(got.find('\n') == got.size() - 1);
  got.assign(100, '\0');
  got.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(ends[0], got.data(), got.size(), 0))));
  CHECK(got.ends_with("[" + pid + "] \n"));
  CHECK(::recv(ends[0], got.data(), got.size(), 0) == -1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a line that cannot be written is lost, and nothing else is") {
  SECTION("standard error is closed") {
    const other_stderr closed(-1);
    CHECK_NOTHROW(waiter::system::write_log_line("nobody hears it"));
  }
  SECTION("the disk is full") {
    const waiter::system::descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    const other_stderr other(full.get());
    CHECK_NOTHROW(waiter::system::write_log_line("nobody hears it"));
  }
  SECTION("its reader is gone") {
    const taken_signals signals;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    {
      const other_stderr other(ends[1]);
      CHECK_NOTHROW(waiter::system::write_log_line("nobody hears it"));
    }
    ::close(ends[1]);
  }
}
