// A function that runs in a process of its own, in a process group of its own, and tells the test what happens there.
#ifndef WAITER_TESTS_PROCESS_FORKED_HPP
#define WAITER_TESTS_PROCESS_FORKED_HPP

#include "support/catch.hpp"
#include "support/deadline.hpp"
#include "support/process_info.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <deque>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace process_test {

using support::milliseconds;
using namespace std::chrono_literals;

/// Tells the test a line at a time; lines of several processes do not mix (pipe(7), PIPE_BUF).
class teller {
 public:
  explicit teller(int fd) : fd_(fd) {}

  template <class... Parts>
  void operator()(const Parts&... parts) const {
    std::ostringstream line;
    (line << ... << parts) << '\n';
    const auto text = line.str();
    [[maybe_unused]] const auto written = ::write(fd_, text.data(), text.size());
  }
  int descriptor() const { return fd_; }

 private:
  int fd_;
};

class forked {
 public:
  /// `body(const teller&)` returns the exit status.
  template <class Body>
  explicit forked(Body&& body) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // orphans become ours, so that none escapes the last look
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::setpgid(0, 0);
      const rlimit no_core{0, 0};
      ::setrlimit(RLIMIT_CORE, &no_core);
      for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGSEGV, SIGABRT})
        ::signal(number, SIG_DFL);
      int status = 97;
      const teller tell(ends[1]);
      try {
        status = body(tell);
      } catch (const std::exception& error) {
        tell("threw ", error.what());
      } catch (...) {
        tell("threw");
      }
      ::_exit(status);
    }
    ::setpgid(pid_, pid_);
    ::close(ends[1]);
    told_ = ends[0];
  }

  ~forked() {
    // The group is its own, and it is not yet waited for or it has left others behind.
    for (const pid_t left : support::members_of(pid_)) ::kill(left, SIGKILL);
    gone();
    ::close(told_);
    while (::waitpid(-pid_, nullptr, 0) > 0) {
    }
  }
  forked(const forked&) = delete;
  forked& operator=(const forked&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  /// The rest of the first line that begins so and was not taken yet. Throws when it does not come.
  std::string wait_for(std::string_view begin, milliseconds within = support::patience) {
    if (auto rest = seek(begin, within)) return *rest;
    throw std::runtime_error("nobody told '" + std::string(begin) + "', but:" + all_lines());
  }
  std::optional<std::string> seek(std::string_view begin, milliseconds within) {
    const support::deadline end(within);
    for (std::size_t at = 0;; ++at) {
      while (at == lines_.size())
        if (!read_more(end)) return std::nullopt;
      if (!lines_[at].starts_with(begin)) continue;
      auto rest = lines_[at].substr(begin.size());
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(at));
      return rest;
    }
  }
  /// The same, as a number.
  long number(std::string_view begin, milliseconds within = support::patience) { return std::stol(wait_for(begin, within)); }
  std::uint16_t port() { return static_cast<std::uint16_t>(number("port ")); }
  /// How many lines begin so, of what was told by now and not taken.
  std::size_t count(std::string_view begin) {
    while (read_more(support::deadline(0ms))) {
    }
    std::size_t count = 0;
    for (const auto& line : lines_) count += line.starts_with(begin);
    return count;
  }

  /// The exit status, or the negative number of the signal that killed it. Throws when it does not end in time.
  int wait(milliseconds within = support::patience) {
    if (!support::wait_until_ended(pid_, within)) throw std::runtime_error("it still runs; it told:" + all_lines());
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("waitpid");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  /// No process of it lives any more: all have closed what they told through.
  bool gone(milliseconds within = support::patience) {
    const support::deadline end(within);
    while (!at_end_ && read_more(end)) {
    }
    return at_end_;
  }

 private:
  /// False at the deadline, or at the end.
  bool read_more(const support::deadline& end) {
    if (at_end_) return false;
    pollfd one{told_, POLLIN, 0};
    if (::poll(&one, 1, end.left()) <= 0) return false;
    char buffer[65536];
    const auto size = ::read(told_, buffer, sizeof buffer);
    if (size <= 0) {
      at_end_ = true;
      return false;
    }
    rest_.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t feed = 0; (feed = rest_.find('\n')) != rest_.npos; rest_.erase(0, feed + 1))
      lines_.push_back(rest_.substr(0, feed));
    return true;
  }

  std::string all_lines() const {
    std::string all;
    for (const auto& line : lines_) all += "\n  " + line;
    return all;
  }

  pid_t pid_ = -1;
  int told_ = -1;
  bool at_end_ = false;
  std::string rest_;
  std::deque<std::string> lines_;
};

}  // namespace process_test

#endif
