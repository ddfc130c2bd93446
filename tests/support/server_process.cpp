#include "support/server_process.hpp"

#include "support/process_info.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace support {
namespace {

namespace process = boost::process::v2;

/// What the new process does before it becomes the program.
struct own_surroundings {
  std::vector<std::string> variables;
  bool no_low_ports;
  std::vector<const char*> pointers{};

  template <class Launcher, class Executable, class CommandLine>
  process::error_code on_setup(Launcher& launcher, const Executable&, CommandLine&&) {
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
      const std::string_view text{*variable};
      const auto name = text.substr(0, text.find('=') + 1);
      bool replaced = false;
      for (const auto& ours : variables) replaced = replaced || ours.starts_with(name);
      if (!replaced) pointers.push_back(*variable);
    }
    for (const auto& ours : variables) pointers.push_back(ours.c_str());
    pointers.push_back(nullptr);
    launcher.env = pointers.data();
    return {};
  }

  template <class Launcher, class Executable, class CommandLine>
  process::error_code on_exec_setup(Launcher&, const Executable&, CommandLine&&) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // for a test that is killed itself
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2}) ::signal(number, SIG_DFL);
    const rlimit no_core{0, 0};  // a core file would add 128 to a wait status
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (no_low_ports) ::prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE, 0, 0, 0);
    return {};
  }
};

}  // namespace

struct server_process::child {
  boost::asio::io_context context{};
  process::process handle;
  pid_t group;

  child(const std::string& program, const std::vector<std::string>& arguments, int out, own_surroundings& surroundings)
      : handle{context.get_executor(), program, arguments, process::process_stdio{nullptr, out, out}, surroundings},
        group{handle.id()} {}
};

server_process::server_process(launch what) : trace_{directory_ / "trace"} {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // orphans become ours, so that none escapes the last look
  auto arguments = std::move(what.arguments);
  if (what.traced) arguments.push_back("--trace=" + trace_.path().string());
  auto program = what.program;
  if (!what.in_front.empty()) {
    auto words = what.in_front;
    words.push_back(program.string());
    words.insert(words.end(), arguments.begin(), arguments.end());
    arguments = std::move(words);
    program = "/usr/bin/env";
  }
  what.environment.push_back("TMPDIR=" + directory_.path().string());  // what a killed server left there goes with it
  own_surroundings surroundings{std::move(what.environment), what.no_low_ports};
  const int out = ::open((directory_ / "output").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (out < 0) throw std::system_error{errno, std::generic_category(), "output file"};
  try {
    child_ = std::make_unique<child>(program.string(), arguments, out, surroundings);
  } catch (...) {
    ::close(out);
    throw;
  }
  ::close(out);
  if (!what.traced) pid_ = child_->group;
}

server_process::~server_process() {
  if (std::uncaught_exceptions() > 0) {
    try {
      std::cerr << "--- trace of process " << child_->group << "\n"
                << trace_.whole() << "--- its output\n"
                << output() << "---\n";
    } catch (const std::exception&) {
    }
  }
  for (int round = 0; round < 3; ++round) {
    for (const pid_t left : members_of(child_->group)) ::kill(left, SIGKILL);
    if (wait_until_gone(1000ms)) break;
  }
}

pid_t server_process::pid() {
  if (pid_ == 0) pid_ = trace_.wait_for({.hook = "on_server_begin"}).pid;
  return pid_;
}

std::uint16_t server_process::port() {
  const auto line = trace_.wait_for({.hook = "on_listen_ok"});
  return static_cast<std::uint16_t>(line.number("port"));
}

std::set<pid_t> server_process::kids() {
  std::set<pid_t> result;
  for (const pid_t kid : children_of(pid())) {
    if (alive(kid) && !tolerated_.contains(kid)) result.insert(kid);
  }
  return result;
}

std::string server_process::output() const {
  std::ifstream file{directory_ / "output"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void server_process::signal(int number) {
  if (::kill(pid(), number) != 0) throw std::system_error{errno, std::generic_category(), "kill"};
}

int server_process::wait_for_parent(milliseconds within) {
  const deadline end{within};
  while (child_->handle.running()) {
    if (!wait_until_ended(child_->group, milliseconds{end.left()}) && end.over()) {
      throw std::runtime_error{"it still ran after " + std::to_string(within.count()) + " ms; trace:\n" + trace_.whole()};
    }
  }
  ended_ = true;
  const int status = child_->handle.native_exit_code();
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int server_process::wait(milliseconds within) {
  const int result = wait_for_parent(within);
  const auto left = left_behind();
  if (!left.empty()) {
    std::string text = "it ended with " + std::to_string(result) + " and left behind:";
    for (const pid_t pid : left) {
      const auto found = look_at(pid);
      text += ' ' + std::to_string(pid) + (found ? std::string{'('} + found->state + ' ' + found->name + ')' : "");
    }
    throw std::runtime_error{text + "\ntrace:\n" + trace_.whole()};
  }
  return result;
}

int server_process::stop(milliseconds within) {
  signal(SIGTERM);
  return wait(within);
}

std::set<pid_t> server_process::left_behind() {
  std::set<pid_t> result;
  for (const pid_t member : members_of(child_->group)) {
    if (!tolerated_.contains(member)) result.insert(member);
  }
  return result;
}

void server_process::reap_orphans() {
  for (const auto& member : all_processes()) {
    if (member.group != child_->group || member.parent != ::getpid() || member.state != 'Z') continue;
    if (member.pid == child_->group) {
      ended_ = ended_ || !child_->handle.running();
    } else {
      ::waitpid(member.pid, nullptr, WNOHANG);
    }
  }
}

bool server_process::wait_until_gone(milliseconds within) {
  const deadline end{within};
  for (;;) {
    reap_orphans();
    const auto left = members_of(child_->group);
    if (left.empty()) return true;
    if (end.over()) return false;
    wait_until_ended(*left.begin(), milliseconds{std::min(end.left(), 50)});
  }
}

}  // namespace support
