#ifndef WAITER_SYSTEM_START_PROGRAM_HPP
#define WAITER_SYSTEM_START_PROGRAM_HPP

#include <waiter/error.hpp>
#include <waiter/system/program_start.hpp>

#include <boost/version.hpp>

// Boost.Process 2 is headers only before Boost 1.86. Those of 1.81 and 1.82 use three others that they include only together with
// Boost.Filesystem, which would have to be linked.
#if BOOST_VERSION < 108600 && !defined(BOOST_PROCESS_USE_STD_FS)
#define BOOST_PROCESS_USE_STD_FS
#endif
#include <boost/optional.hpp>
#include <boost/type_traits/decay.hpp>
#include <boost/type_traits/remove_pointer.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace waiter::system {

/// What Boost.Process is to do, besides, for one program.
class program_surroundings {
 public:
  explicit program_surroundings(const program_start& what) : what_(what) {
    for (const auto& one : what.arguments) arguments_.push_back(one.c_str());
    arguments_.push_back(nullptr);
    for (char** inherited = ::environ; inherited != nullptr && *inherited != nullptr; ++inherited)
      if (!replaced(*inherited)) variables_.push_back(*inherited);
    for (const auto& one : what.variables) variables_.push_back(one.c_str());
    variables_.push_back(nullptr);
  }

  template <class Launcher, class File, class Arguments>
  boost::process::v2::error_code on_setup(Launcher& launcher, const File&, Arguments& arguments) {
    arguments = arguments_.data();
    launcher.env = variables_.data();
    for (const int one : what_.descriptors) launcher.fd_whitelist.push_back(one);
    return {};
  }

  // In the new process. Boost.Process 1.81 closes only what is above the highest descriptor that stays, so all others are marked.
  template <class... Ignored>
  boost::process::v2::error_code on_exec_setup(Ignored&&...) {
#ifdef SYS_close_range
    constexpr unsigned close_on_exec = 1U << 2;  // CLOSE_RANGE_CLOEXEC (close_range(2)), since Linux 5.11
    ::syscall(SYS_close_range, 3U, ~0U, close_on_exec);
#endif
    for (const int one : what_.descriptors) {
      if (::fcntl(one, F_SETFD, 0) != 0) return {errno, boost::system::system_category()};
    }
    if (what_.in_new_process) what_.in_new_process();
    return {};
  }

  // In the new process, which is a copy of this one: Boost.Process would run what is registered to run at exit, a second time.
  template <class... Ignored>
  void on_exec_error(Ignored&&...) {
    ::_exit(127);
  }

 private:
  bool replaced(std::string_view inherited) const {
    const auto name = inherited.substr(0, inherited.find('=') + 1);
    for (const auto& one : what_.variables)
      if (one.starts_with(name)) return true;
    return false;
  }

  const program_start& what_;
  std::vector<const char*> arguments_;
  std::vector<const char*> variables_;
};

/// Starts a program beside this one, by Boost.Process; the caller keeps the signals of a server blocked meanwhile. Returns when the
/// program has begun, or has not: then -1 and why, and nothing is left of it. What is started has to be waited for, as any child.
inline pid_t start_program(const program_start& what, error_code& error) noexcept {
  error.clear();
  boost::process::v2::posix::default_launcher launcher;
  try {
    boost::asio::io_context context;
    auto process = launcher(context.get_executor(), error, what.program, std::vector<std::string>(), program_surroundings(what));
    if (!error) {
      process.detach();  // or it would be killed here
      return launcher.pid;
    }
  } catch (const boost::system::system_error& thrown) {
    error = thrown.code();
  } catch (const std::exception&) {
    error = make_error_code(boost::system::errc::not_enough_memory);
  }
  // It may be reaped by now, and its number another process's; one that still is our child keeps it.
  if (launcher.pid > 0 && ::waitpid(launcher.pid, nullptr, WNOHANG) == 0) {
    ::kill(launcher.pid, SIGKILL);
    while (::waitpid(launcher.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return -1;
}

}  // namespace waiter::system

#endif
