// A kid that has gone mad writes over all the memory that it shares with its parent.
#include <waiter/system/busy_board.hpp>
#include <waiter/waiter.hpp>

#include "echo_server.hpp"
#include "forked.hpp"

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

using namespace process_test;

namespace {

/// The writable anonymous memory that this process shares, piece by piece.
template <class Piece>
int for_each_shared_piece(Piece&& piece) {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char access[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) != 3 || access != std::string("rw-s")) continue;
    if (line.find("/dev/zero") == line.npos) continue;
    piece(reinterpret_cast<unsigned char*>(begin), end - begin);
    ++count;
  }
  return count;
}

/// How the memory is spoilt: all random, all ones, or zeroes.
int scribble(unsigned seed) {
  std::mt19937 random(seed);
  return for_each_shared_piece([&](unsigned char* memory, std::size_t size) {
    if (seed % 8 == 0)
      std::memset(memory, 0xff, size);
    else if (seed % 8 == 1)
      std::memset(memory, 0, size);
    else if (seed % 8 == 2)
      // Plausible states in every cell.
      for (std::size_t at = 0; at + 4 <= size; at += 4)
        memory[at] = static_cast<unsigned char>(random() % 7), memory[at + 1] = memory[at + 2] = memory[at + 3] = 0;
    else
      for (std::size_t at = 0; at < size; ++at) memory[at] = static_cast<unsigned char>(random());
  });
}

constexpr int kids_at_rest = 3;
constexpr int most_kids = 6;
/// A pool also has places for kids that are leaving while others have taken theirs.
template <class Policy>
constexpr int places = most_kids + (std::is_same_v<Policy, waiter::prefork> ? kids_at_rest : 0);

/// "scribble N" spoils the board; "census" is what a kid counts. The parent tells what it counts when it is asked.
template <class Policy>
struct mad_server : waiter::basic_waiter<mad_server<Policy>, Policy> {
  using base = waiter::basic_waiter<mad_server, Policy>;
  mad_server(const teller& how, typename base::options settings) : base(settings), tell(how) {}

  void on_listen_ok() { tell("port ", this->get_port()); }
  void on_process(typename base::client_type& client) {
    const auto line = client.read_line();
    if (!line) return;
    std::istringstream words(*line);
    std::string word;
    unsigned seed = 0;
    words >> word >> seed;
    if (word == "scribble") client.write(std::to_string(scribble(seed)) + "\n");
    const auto [busy, kids] = this->get_busy_kids_count();
    if (word == "census") client.write(std::to_string(busy) + " " + std::to_string(kids) + "\n");
  }
  void on_sig_usr1() {
    const auto [busy, kids] = this->get_busy_kids_count();
    tell("census ", busy, " ", kids);
  }
  const teller& tell;
};

void check_census(const std::string& told, int most) {
  CAPTURE(told);
  int busy = -1, kids = -1;
  REQUIRE(std::istringstream(told) >> busy >> kids);
  CHECK(busy >= 0);
  CHECK(busy <= kids);
  CHECK(kids <= most);
}

template <class Policy>
int run(const teller& tell) {
  typename Policy::options kids{};
  kids.maxfork = most_kids;
  if constexpr (std::is_same_v<Policy, waiter::prefork>) kids.prefork = kids_at_rest;
  typename mad_server<Policy>::options settings;
  settings.address = "127.0.0.1";
  settings.grace = 1000ms;
  settings.fork = kids;
  // Somebody whom no number from the board may hit.
  const pid_t bystander = ::fork();
  if (bystander == 0)
    for (;;) ::pause();
  mad_server<Policy> server(tell, settings);
  const int result = server.run();
  int status = 0;
  tell("bystander ", ::waitpid(bystander, &status, WNOHANG) == 0);
  ::kill(bystander, SIGKILL);
  ::waitpid(bystander, &status, 0);
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("a board full of garbage misleads nobody beyond the limits, and the server serves and stops", "",
                   waiter::forking, waiter::prefork) {
  forked server(run<TestType>);
  const auto port = server.port();
  for (unsigned seed = 0; seed < 64; ++seed) {
    CAPTURE(seed);
    CHECK(ask(port, "scribble " + std::to_string(seed)) == "1\n");
    check_census(ask(port, "census 0"), places<TestType>);
    server.signal(SIGUSR1);
    check_census(server.wait_for("census "), places<TestType>);
  }
  // It comes to rest, and does not spin over what it cannot believe.
  const auto used = support::look_at(server.pid())->cpu;
  CHECK_FALSE(server.seek("nothing", 500ms));
  CHECK(support::look_at(server.pid())->cpu - used < 250ms);
  server.signal(SIGTERM);
  CHECK(server.number("bystander ") == 1);
  CHECK(server.wait() == 0);
  CHECK(server.gone());
}

TEST_CASE("whatever stands on a board, its counts are in range and no moment is in the future") {
  forked test([](const teller& tell) {
    waiter::system::busy_board board;
    waiter::error_code error;
    board.open(7, error);
    for (unsigned seed = 0; seed < 3000; ++seed) {
      scribble(seed);
      if (seed % 5 == 0) board.seat(seed % 7);
      const auto all = board.count();
      if (all.kids < 0 || all.kids > 7 || all.busy < 0 || all.busy > all.kids) tell("wrong census ", all.busy, " ", all.kids);
      // A kid can have many clients in their handshake, of whom it tells in 16 bits.
      if (board.count_greeting() < 0 || board.count_greeting() > 7 * 0x10000) tell("wrong count ", board.count_greeting());
      for (std::size_t place = 0; place < 7; ++place) {
        const auto since = board.since(place);
        if (since > std::chrono::steady_clock::now()) tell("wrong time");
      }
      board.must_call();
      board.wake_at(static_cast<int>(seed) - 1000);
    }
    return 0;
  });
  CHECK(test.wait() == 0);
  CHECK(test.gone());
  CHECK(test.count("wrong") == 0);
}
