#ifndef WAITER_EXAMPLES_SUPPORT_PROGRAM_HPP
#define WAITER_EXAMPLES_SUPPORT_PROGRAM_HPP

#include <waiter/system/descriptor.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace waiter_examples {

namespace process = boost::process::v2;

/// What Boost.Process is to do, besides, before a program begins: our variables on top of the environment that we have, a process
/// group of its own, so that its children can be ended with it, and SIGKILL for when we die, however we die.
class surroundings {
 public:
  explicit surroundings(std::vector<std::string> variables) : variables_(std::move(variables)) {}

  template <class Launcher, class Executable, class CommandLine>
  process::error_code on_setup(Launcher& launcher, const Executable&, CommandLine&&) {
    for (char** inherited = ::environ; *inherited != nullptr; ++inherited)
      if (!replaced(*inherited)) pointers_.push_back(*inherited);
    for (const auto& ours : variables_) pointers_.push_back(ours.c_str());
    pointers_.push_back(nullptr);
    launcher.env = pointers_.data();
    return {};
  }

  // In the new process. Signals that the server handles have their default action again in a program; what was ignored before the
  // server began would stay so (execve(2)).
  template <class Launcher, class Executable, class CommandLine>
  process::error_code on_exec_setup(Launcher&, const Executable&, CommandLine&&) {
    ::setpgid(0, 0);
    ::signal(SIGPIPE, SIG_DFL);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return {};
  }

 private:
  bool replaced(std::string_view inherited) const {
    const auto name = inherited.substr(0, inherited.find('=') + 1);
    for (const auto& ours : variables_)
      if (ours.starts_with(name)) return true;
    return false;
  }

  std::vector<std::string> variables_;
  std::vector<const char*> pointers_;
};

/// A pipe whose ends stay in this process.
struct pipe {
  pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  waiter::system::descriptor read, write;
};

/// A program that runs for one client. It does not outlive the object: it and what it has started in its process group are asked
/// to end, have two seconds for that, and are then killed. No zombie stays behind.
class program {
 public:
  /// Throws when it cannot be started. `in` and `out` become its standard input and output.
  program(boost::asio::io_context& context, const std::vector<std::string>& command, int in, int out, surroundings around)
      : process_(context.get_executor(), command.front(), std::vector<std::string>(command.begin() + 1, command.end()),
                 process::process_stdio{in, out, {}}, around),
        ended_(static_cast<int>(::syscall(SYS_pidfd_open, process_.id(), 0))) {}
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program() {
    const pid_t group = process_.id();
    if (!ended_within(std::chrono::seconds(0))) {
      ::kill(-group, SIGTERM);
      ended_within(std::chrono::seconds(2));
    }
    // Until somebody waits for the program, even a dead one, the number of its group is given to nobody else.
    ::kill(-group, SIGKILL);
    process::error_code ignored;
    process_.wait(ignored);
  }

  /// Readable in poll(2) when the program has ended (pidfd_open(2)).
  int descriptor() const noexcept { return ended_.get(); }

 private:
  // poll(2) is not restarted after a signal.
  bool ended_within(std::chrono::milliseconds time) noexcept {
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + time;
    for (;;) {
      pollfd one{descriptor(), POLLIN, 0};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
      const int ready = ::poll(&one, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
      if (ready >= 0 || errno != EINTR) return ready > 0;
    }
  }

  process::process process_;
  waiter::system::descriptor ended_;
};

}  // namespace waiter_examples

#endif
