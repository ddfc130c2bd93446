// A server that a test starts as a program: a process group of its own, a trace of its own, and nothing of it left at the end.
#ifndef WAITER_TESTS_SUPPORT_SERVER_PROCESS_HPP
#define WAITER_TESTS_SUPPORT_SERVER_PROCESS_HPP

#include "support/deadline.hpp"
#include "support/temp_directory.hpp"
#include "support/trace.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace support {

struct launch {
  std::filesystem::path program{};
  std::vector<std::string> arguments{};
  /// Programs and their options written in front, to be found on PATH: `{"strace", "-f"}`. The last of them runs the server.
  std::vector<std::string> in_front{};
  /// NAME=VALUE, on top of our own environment.
  std::vector<std::string> environment{};
  /// Takes CAP_NET_BIND_SERVICE away, which nobody but root has.
  bool no_low_ports{false};
  /// Adds `--trace FILE`.
  bool traced{true};
};

class server_process {
 public:
  /// Starts the program, with `--trace FILE` added unless that is not wanted.
  explicit server_process(launch what);
  /// Kills what is left, each process by its own number.
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// The server's process: the one that wrote the first line of the trace, or, without one, the one that was started.
  pid_t pid();
  /// Waits until it listens.
  std::uint16_t port();
  support::trace& trace() { return trace_; }
  /// The children of the server that live, as the kernel says.
  std::set<pid_t> kids();
  /// What it wrote to its standard output and error.
  std::string output() const;
  const temp_directory& directory() const { return directory_; }

  void signal(int number);

  /// Waits for its end and gives the exit status, or the negative number of the signal that killed it. Throws when it does not
  /// end in time, or when a process of its group is left behind, be it a zombie.
  int wait(milliseconds within = patience);
  /// SIGTERM, then wait().
  int stop(milliseconds within = patience);
  /// The same without a look at what is left behind; `wait_until_gone` does that.
  int wait_for_parent(milliseconds within = patience);
  /// Waits until no process of the group is there any more. False: some are.
  bool wait_until_gone(milliseconds within = patience);
  /// This process of the group is not the server's; it may stay.
  void tolerate(pid_t stranger) { tolerated_.insert(stranger); }

 private:
  struct child;

  std::set<pid_t> left_behind();
  void reap_orphans();

  temp_directory directory_;
  support::trace trace_;
  std::unique_ptr<child> child_;
  std::set<pid_t> tolerated_;
  pid_t pid_{0};
  bool ended_{false};
};

}  // namespace support

#endif
