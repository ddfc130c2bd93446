// crowd PROGRAM ARGS: as process 1 of a namespace with few numbers for processes (kernel.pid_max), runs the program, sends it USR1
// all the time, and has strangers come and go beside it, each of which tells when a signal reached it. TERM ends it.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <set>

namespace {

volatile std::sig_atomic_t over = 0;
volatile std::sig_atomic_t hit = 0;

/// A little life, with a handler for all that a server might send.
[[noreturn]] void be_stranger(int number) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal != SIGCHLD) ::signal(signal, [](int) { hit = 1; });
  }
  ::poll(nullptr, 0, 1 + number % 30);
  ::_exit(hit ? 99 : 0);
}

}  // namespace

int main(int, char** argv) {
  std::ofstream("/proc/sys/kernel/pid_max") << 400 << std::endl;
  long pid_max = 0;
  std::ifstream("/proc/sys/kernel/pid_max") >> pid_max;
  ::signal(SIGTERM, [](int) { over = 1; });

  const pid_t server = ::fork();
  if (server == 0) {
    ::signal(SIGTERM, SIG_DFL);
    ::execv(argv[1], argv + 1);
    ::_exit(127);
  }
  ::poll(nullptr, 0, 300);  // before, it has no handler for USR1

  std::set<pid_t> strangers;
  long born = 0, struck = 0, sent = 0;
  int server_status = -1;
  bool asked = false;
  for (bool ended = false; !ended;) {
    while (!over && strangers.size() < 40) {
      const pid_t one = ::fork();
      if (one == 0) be_stranger(static_cast<int>(born));
      if (one < 0) break;
      strangers.insert(one);
      ++born;
    }
    if (!over) sent += ::kill(server, SIGUSR1) == 0;
    if (over && !asked) {
      ::kill(server, SIGTERM);
      asked = true;
    }
    ::poll(nullptr, 0, 2);
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == server) {
        server_status = status;
        ended = true;
      } else if (strangers.erase(pid) != 0) {
        struck += status != 0;
      }
    }
  }
  std::cerr << "pid_max " << pid_max << "\nserver_status " << server_status << "\nsignals_sent " << sent << "\nstrangers " << born
            << "\nstrangers_hit " << struck << std::endl;
}
