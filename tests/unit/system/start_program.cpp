#include <waiter/system/start_program.hpp>

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <waiter/system/descriptor.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using waiter::system::descriptor;
using waiter::system::program_start;
using waiter::system::start_program;

namespace {

/// Runs a shell, and gives what it wrote to a descriptor that it has on top of the three.
std::string told_by(const std::string& script, program_start what = {}) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  descriptor read(ends[0]), write(ends[1]);
  descriptor nine(::fcntl(write.get(), F_DUPFD_CLOEXEC, 9));
  what.program = "/bin/sh";
  what.descriptors.push_back(nine.get());
  what.arguments = {"my-name", "-c", "exec >&" + std::to_string(nine.get()) + "; " + script};
  waiter::error_code error;
  const pid_t pid = start_program(what, error);
  INFO(error.message());
  REQUIRE(pid > 0);
  write.reset();
  nine.reset();
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = ::read(read.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(size));
  int status = 0;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  return text;
}

/// That it cannot be started, and that nothing is left of it.
waiter::error_code refused(const std::string& program) {
  waiter::error_code error;
  CHECK(start_program({.program = program, .arguments = {program}}, error) == -1);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
  return error;
}

std::atomic<int>* exits = nullptr;

}  // namespace

TEST_CASE("a program gets its arguments, its own name first, and our variables on top of the environment") {
  ::setenv("WAITER_TEST_KEPT", "kept", 1);
  ::setenv("WAITER_TEST_REPLACED", "old", 1);
  CHECK(told_by("echo $0 $# $WAITER_TEST_KEPT $WAITER_TEST_REPLACED $WAITER_TEST_NEW",
                {.variables = {"WAITER_TEST_REPLACED=replaced", "WAITER_TEST_NEW=new"}}) == "my-name 0 kept replaced new\n");
  CHECK(told_by("env | grep -c WAITER_TEST_REPLACED", {.variables = {"WAITER_TEST_REPLACED=replaced"}}) == "1\n");
}

TEST_CASE("of our descriptors it has those that it is meant to have, and standard input, output and error") {
  // Left open for all programs, below and above the one that is passed on.
  const descriptor low(::dup(STDERR_FILENO));
  const descriptor high(::fcntl(STDERR_FILENO, F_DUPFD, 100));
  const descriptor passed(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 50));
  std::istringstream told(told_by("ls /proc/$$/fd", {.descriptors = {passed.get()}}));
  std::vector<int> open;
  for (int one; told >> one;) open.push_back(one);
  std::sort(open.begin(), open.end());
  REQUIRE(open.size() == 5);
  CHECK(open[2] == 2);
  CHECK(open[3] >= 9);
  CHECK(open[3] < 50);
  CHECK(open[4] == passed.get());
  CHECK((::fcntl(passed.get(), F_GETFD) & FD_CLOEXEC) != 0);  // nothing has changed here
}

TEST_CASE("what is called in the new process holds for the program") {
  const auto ignored = [](const program_start& how) { return std::stoull(told_by("grep SigIgn: /proc/$$/status | cut -f 2", how), nullptr, 16); };
  const unsigned long long usr2 = 1ULL << (SIGUSR2 - 1);
  CHECK((ignored({}) & usr2) == 0);
  CHECK((ignored({.in_new_process = [] { ::signal(SIGUSR2, SIG_IGN); }}) & usr2) != 0);
}

TEST_CASE("a program that cannot be started leaves the reason and nothing else") {
  const support::temp_directory directory;
  CHECK(refused((directory / "missing").string()) == boost::system::errc::no_such_file_or_directory);

  const auto plain = (directory / "plain").string();
  std::ofstream(plain) << "#!/bin/sh\n";
  CHECK(refused(plain) == boost::system::errc::permission_denied);
  CHECK(refused(directory.path().string()) == boost::system::errc::permission_denied);

  const auto nonsense = (directory / "nonsense").string();
  std::ofstream(nonsense) << "no program";
  ::chmod(nonsense.c_str(), 0755);
  CHECK(refused(nonsense) == boost::system::errc::executable_format_error);
}

TEST_CASE("what is registered to run at exit does not run in the copy of us that could not become the program") {
  const pid_t us = ::fork();
  if (us == 0) {
    // Written by whoever exits, this process and its copies.
    exits = static_cast<std::atomic<int>*>(::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::atexit([] { ++*exits; });
    waiter::error_code error;
    const bool refused_well = start_program({.program = "/no/such/program", .arguments = {"it"}}, error) == -1;
    ::_exit(refused_well && *exits == 0 ? 0 : 1);
  }
  int status = -1;
  CHECK(::waitpid(us, &status, 0) == us);
  CHECK(status == 0);
}
