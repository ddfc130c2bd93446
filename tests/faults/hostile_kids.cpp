// Kids that do their worst to their parent and to each other: the parent stays sound, signals nobody else, and the others serve on.
#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"
#include "support/server_process.hpp"

#include <fcntl.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

using namespace support;

namespace {

int times(int brief, int thorough) { return std::getenv("WAITER_SOAK") != nullptr ? thorough : brief; }

struct hostile_server : server_process {
  explicit hostile_server(const std::string& policy)
      : server_process(
            {.program = std::getenv("WAITER_HOSTILE_SERVER"),
             .arguments = {"--policy=" + policy},
             // A kid that was told to die by SIGSEGV or SIGABRT is no finding of a sanitizer.
             .environment = {
                 "ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0",
                 "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1"}}) {}

  /// What a client gets whose kid does this.
  reply order(const std::string& what) { return client(port()).ask(what + "\n"); }

  /// The parent's listening socket, as all its processes share it, lets accept(2) wait.
  bool listener_waits() {
    std::ifstream info("/proc/" + std::to_string(pid()) + "/fdinfo/" + std::to_string(listener_of(pid(), port())));
    for (std::string word; info >> word;) {
      unsigned flags = 0;
      if (word == "flags:" && info >> std::oct >> flags) return (flags & O_NONBLOCK) == 0;
    }
    return false;
  }

  /// The parent is awake, and its books are right.
  void still_sound() {
    const auto before = trace().count({.hook = "on_sig_hup"});
    signal(SIGHUP);
    const auto kids = trace().wait_for({.hook = "on_sig_hup", .nth = before + 1}).number("kids");
    CHECK(kids >= 0);
    CHECK(kids <= 6);
    for (int round = 0; round < 8; ++round) CHECK(order("serve") == answer("done\n"));
  }

  void ends_well() {
    CHECK(stop() == 0);
    CHECK(trace().count({.hook = "on_count"}) == 0);
    const auto text = output();
    for (const char* bad : {"FOREIGN PID", "AddressSanitizer", "runtime error"}) {
      INFO(text);
      CHECK(text.find(bad) == text.npos);
    }
  }
};

}  // namespace

TEST_CASE("a kid that overwrites all it shares, with noise or with forged cells, harms nobody else", "[hostile]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  hostile_server server(policy);
  for (int round = 0; round < times(12, 1000); ++round) {
    CHECK(server.order((round % 2 == 0 ? "scribble " : "forge ") + std::to_string(round)) == answer("done\n"));
    // While it writes the others serve.
    client hostile(server.port());
    hostile.send("forge " + std::to_string(round) + "\n");
    CHECK(server.order("serve") == answer("done\n"));
    CHECK(hostile.read_all() == answer("done\n"));
  }
  server.still_sound();
  server.ends_well();
}

TEST_CASE("a kid that writes garbage to each of its channels, or closes them, harms nobody else", "[hostile]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  hostile_server server(policy);
  for (int round = 0; round < times(6, 500); ++round) {
    CHECK(server.order("garbage " + std::to_string(round)) == answer("done\n"));
    CHECK(server.order("close") == answer("done\n"));
    CHECK(server.order("serve") == answer("done\n"));
  }
  server.still_sound();
  server.ends_well();
}

TEST_CASE("a kid that spoils the listening socket for its siblings ends nobody's service: the parent mends it", "[hostile]") {
  const std::string deed = GENERATE(as<std::string>{}, "shutdown", "nonblock");
  CAPTURE(deed);
  hostile_server server("prefork");
  REQUIRE(eventually([&] { return server.kids().size() == 4; }));
  const auto kids = server.kids();
  for (int round = 0; round < times(5, 200); ++round) {
    CHECK(server.order(deed) == answer("done\n"));
    // A socket that is shut down refuses until it is mended; one that does not wait refuses nobody.
    if (deed == "shutdown")
      CHECK(eventually([&] { return server.order("serve") == answer("done\n"); }));
    for (int n = 0; n < 8; ++n) CHECK(server.order("serve") == answer("done\n"));
    CHECK(eventually([&] { return server.listener_waits(); }));
  }
  CHECK(server.kids() == kids);  // nobody had to leave for it
  server.still_sound();
  server.ends_well();
}

TEST_CASE("a kid may end with any code and by any signal", "[hostile]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  CAPTURE(policy);
  hostile_server server(policy);
  for (int code = 0; code < 256; ++code) CHECK(server.order("exit " + std::to_string(code)).text == "done\n");
  for (const int signal : {SIGKILL, SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM, SIGXCPU, SIGSYS}) {
    CHECK(server.order("signal " + std::to_string(signal)).text == "done\n");
  }
  std::set<long> seen;
  CHECK(eventually([&] {
    for (const auto& line : server.trace().all({.hook = "on_sig_child"})) seen.insert(line.number("code"));
    return seen.size() == 256;
  }));
  server.still_sound();
  server.ends_well();
}
