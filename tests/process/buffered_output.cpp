// What a program has printed but not yet written, and what it does at its end, happens once and not once a kid.
#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using namespace process_test;

namespace {

int exit_pipe = -1;

void tell_at_exit(const char* what) {
  const teller tell(exit_pipe);
  tell(what, ::getpid());
}

struct at_the_end {
  ~at_the_end() { tell_at_exit("destroyed "); }
};

template <class Policy>
struct printing_server : waiter::basic_waiter<printing_server<Policy>, Policy> {
  using base = waiter::basic_waiter<printing_server, Policy>;
  printing_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() {
    std::cout << "parent by cout\n";
    std::clog << "parent by clog\n";
    std::printf("parent by printf\n");
    tell("port ", this->get_port());
  }
  void on_process(typename base::client_type& client) {
    std::cout << "kid by cout\n";
    std::printf("kid by printf\n");
    client.write("served\n");
  }
  const teller& tell;
};

template <class Policy>
int run(const teller& tell, const std::string& file) {
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(out, STDOUT_FILENO);
  static char buffer[1 << 16];
  std::setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  exit_pipe = tell.descriptor();
  static at_the_end end;
  std::atexit([] { tell_at_exit("exited "); });
  const int result = printing_server<Policy>(tell, {.address = "127.0.0.1"}).run();
  std::exit(result);
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEMPLATE_TEST_CASE("what was printed is written once, and what happens at exit happens in the parent", "", waiter::forking,
                   waiter::prefork) {
  const support::temp_directory directory;
  const std::string file = directory / "output";
  forked server([&](const teller& tell) { return run<TestType>(tell, file); });
  const auto port = server.port();
  for (int i = 0; i < 20; ++i) CHECK(ask(port, "hello") == "served\n");
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
  const auto lines = lines_of(file);
  const auto count = [&](const char* line) { return std::count(lines.begin(), lines.end(), line); };
  CHECK(count("parent by cout") == 1);
  CHECK(count("parent by printf") == 1);
  CHECK(count("kid by cout") == 20);
  CHECK(count("kid by printf") == 20);
  CHECK(server.count("exited ") == 1);
  CHECK(server.number("exited ") == server.pid());
  CHECK(server.count("destroyed ") == 1);
  CHECK(server.number("destroyed ") == server.pid());
}
