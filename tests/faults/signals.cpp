// Signals of all kinds at any moment: nothing crashes, and the last command is never lost.
#include "faults/signal_board.hpp"
#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"
#include "support/server_process.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using namespace faults;
using namespace support;

namespace {

constexpr int number_of[kinds] = {SIGHUP, SIGUSR1, SIGUSR2};

int signals_to_send() { return std::getenv("WAITER_SOAK") != nullptr ? 100000 : 10000; }

class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  unsigned below(unsigned limit) {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<unsigned>((state_ >> 32) % limit);
  }

 private:
  std::uint64_t state_;
};

/// How often a hook must have run at least, and at most: the kernel merges signals of a kind that are not taken yet.
struct model {
  std::uint32_t at_least = 0;
  std::uint32_t at_most = 0;
};

/// The hail: four senders, and clients meanwhile. What goes wrong is collected, because Catch2 has one thread.
class hail {
 public:
  hail(server_process& server, signal_board& board, int signals)
      : board_(board), pid_(server.pid()), port_(server.port()), left_(signals) {}

  void run(const std::function<void(hail&, dice&)>& to_kids) {
    std::vector<std::thread> senders;
    senders.emplace_back([this] { to_parent(1, {hup, usr1}); });
    senders.emplace_back([this] { to_parent(2, {usr2}); });
    senders.emplace_back([this] { noise(3); });
    senders.emplace_back([this, &to_kids] {
      dice luck(4);
      while (going_on()) to_kids(*this, luck);
    });
    std::thread clients([this] { keep_asking(); });
    for (auto& one : senders) one.join();
    done_ = true;
    clients.join();
  }

  /// Sends up to `most` signals, each with a command, and waits until the last command is seen. False when it never is.
  bool command(listener_cell& cell, kind what, model& expected, unsigned times) {
    std::uint32_t last = 0;
    for (unsigned time = 0; time < times; ++time) {
      last = cell.command[what].fetch_add(1) + 1;
      ::kill(cell.pid, number_of[what]);
      ++commands_;
      --left_;
    }
    expected.at_least += 1;
    expected.at_most += times;
    const deadline end(20000ms);
    for (;;) {
      const auto seen = cell.seen[what].load();
      if (seen == last) return true;
      if (end.over()) {
        fail("command " + std::to_string(last) + " by signal " + std::to_string(number_of[what]) + " to process " +
             std::to_string(cell.pid) + " was lost, the last that it saw is " + std::to_string(seen));
        return false;
      }
      wait_for_change(cell.seen[what], seen, 100);
    }
  }

  /// HUP is sent one at a time, so the hook must have run exactly so often; the others in bursts.
  static unsigned burst(kind what, dice& luck) { return what == hup ? 1 : 1 + luck.below(5); }

  void compare(const listener_cell& cell, kind what, const model& expected) {
    const auto ran = cell.ran[what].load();
    if (ran < expected.at_least || ran > expected.at_most)
      fail("the hook of signal " + std::to_string(number_of[what]) + " ran " + std::to_string(ran) + " times, not " +
           std::to_string(expected.at_least) + " … " + std::to_string(expected.at_most));
  }

  void fail(const std::string& what) {
    if (!failed_.exchange(true)) story_ = what;
  }
  bool going_on() const { return left_ > 0 && !failed_; }
  signal_board& board() { return board_; }
  std::uint16_t port() const { return port_; }
  const std::string& story() const { return story_; }
  std::string numbers() const {
    return std::to_string(commands_) + " commands, " + std::to_string(noises_) + " others, " + std::to_string(board_.kids) +
           " kids, " + std::to_string(answers_) + " answers";
  }
  long answers() const { return answers_; }

 private:
  void to_parent(std::uint64_t seed, const std::vector<kind>& mine) {
    dice luck(seed);
    std::vector<model> expected(kinds);
    while (going_on()) {
      const kind what = mine[luck.below(static_cast<unsigned>(mine.size()))];
      if (!command(board_.parent, what, expected[what], burst(what, luck))) return;
    }
    // What is counted after this was merged; nothing more can come.
    for (const kind what : mine) compare(board_.parent, what, expected[what]);
  }

  // What nobody asked for, to the parent and to its kids.
  void noise(std::uint64_t seed) {
    constexpr int any[] = {SIGCHLD, SIGWINCH, SIGPIPE, SIGCONT, SIGURG, SIGALRM, SIGTTIN, SIGTTOU, SIGVTALRM};
    dice luck(seed);
    while (going_on()) {
      // As many as the commands of one of the others, or it would all be noise.
      if (noises_ * 3 > commands_) {
        std::this_thread::yield();
        continue;
      }
      pid_t to = pid_;
      const auto kids = board_.kids.load();
      if (kids != 0 && luck.below(2) == 0)
        to = board_.kid[(kids - 1 - luck.below(std::min(kids, 3u))) % signal_board::places].pid;
      if (to != pid_ && !alive(to)) continue;
      ::kill(to, any[luck.below(std::size(any))]);
      ++noises_;
      --left_;
    }
  }

  void keep_asking() {
    while (!done_ && !failed_) {
      client one(port_);
      const auto got = one.ask("hello\n");
      if (got.how != outcome::answered || !got.text.starts_with("hello by ")) return fail("a client got '" + got.text + "'");
      ++answers_;
    }
  }

  signal_board& board_;
  const pid_t pid_;
  const std::uint16_t port_;
  std::atomic<int> left_;
  std::atomic<int> commands_{0};
  std::atomic<int> noises_{0};
  std::atomic<bool> done_{false};
  std::atomic<bool> failed_{false};
  std::string story_;
  long answers_ = 0;
};

struct under_hail {
  temp_directory directory{};
  signal_board& board{signal_board::open((directory / "board").string())};
  server_process server;

  explicit under_hail(const std::string& policy)
      : server{{.program = std::getenv("WAITER_SIGNAL_SERVER"),
                .arguments = {"--policy=" + policy, "--board=" + (directory / "board").string()}}} {}
  ~under_hail() { ::munmap(&board, sizeof board); }
};

/// The kid that on_fork_ok tells of after the first `known`; null when none comes.
listener_cell* next_kid(signal_board& board, std::uint32_t known) {
  const deadline end(20000ms);
  while (board.kids.load() <= known) {
    if (end.over()) return nullptr;
    wait_for_change(board.kids, known, 100);
  }
  return &board.kid[known % signal_board::places];
}

std::uint16_t own_port(const client& one) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  ::getsockname(one.descriptor(), reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

/// A kid gets its first commands as soon as its pid is known, and more while it lives.
bool command_kid(hail& all, listener_cell& kid, dice& luck) {
  model expected[kinds];
  for (unsigned times = 4 + luck.below(12); times != 0; --times) {
    const auto what = static_cast<kind>(luck.below(kinds));
    if (!all.command(kid, what, expected[what], hail::burst(what, luck))) return false;
  }
  for (const kind what : {hup, usr1, usr2}) all.compare(kid, what, expected[what]);
  return true;
}

void check(under_hail& world, hail& all) {
  std::cout << "signals: " << all.numbers() << ", lost: " << (all.story().empty() ? "none" : all.story()) << '\n';
  INFO(all.story());
  CHECK(all.story().empty());
  CHECK(all.answers() > 0);
  CHECK(world.board.kids > 8);
  CHECK(world.board.troubles == 0);
  CHECK(world.board.own_handlers > 0);
  CHECK(world.server.stop() == 0);
  CHECK(world.board.troubles == 0);
}

}  // namespace

TEST_CASE("under signals from four senders a pool that is replaced all the time loses no last command", "[signals]") {
  under_hail world("prefork");
  hail all(world.server, world.board, signals_to_send() / 2);
  std::uint32_t known = 0;
  all.run([&known](hail& here, dice& luck) {
    auto* const kid = next_kid(here.board(), known++);
    if (kid == nullptr) return here.fail("no kid was forked");
    if (!command_kid(here, *kid, luck)) return;
    // A kid without a client so far would count as one that cannot live.
    const deadline end(20000ms);
    while (kid->served == 0 && !end.over()) wait_for_change(kid->served, 0, 100);
    ::kill(kid->pid, SIGTERM);
  });
  check(world, all);
}

TEST_CASE("under signals from four senders a server that forks for each client loses no last command", "[signals]") {
  under_hail world("forking");
  hail all(world.server, world.board, signals_to_send() / 2);
  all.run([](hail& here, dice& luck) {
    std::uint32_t place = here.board().kids.load();
    client one(here.port());
    listener_cell* kid = nullptr;
    // Ours ends when its client has asked, so it lives as long as it is commanded.
    while ((kid = next_kid(here.board(), place)) != nullptr && kid->client_port != own_port(one)) ++place;
    if (kid == nullptr) return here.fail("no kid was forked");
    if (!command_kid(here, *kid, luck)) return;
    const auto got = one.ask("hello\n");
    if (got.how != outcome::answered) here.fail("a client got '" + got.text + "'");
  });
  check(world, all);
}
