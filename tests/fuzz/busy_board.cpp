// Whatever stands in the memory that kids can write: the parent's readers stay in range, and its mind within its books.
#include <waiter/process/child_table.hpp>
#include <waiter/process/kid_report.hpp>
#include <waiter/process/kid_watch.hpp>
#include <waiter/process/supervisor.hpp>
#include <waiter/system/busy_board.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t places = 16;
using clock_type = std::chrono::steady_clock;

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}
void expect(bool holds, const char* what) {
  if (!holds) broken(what);
}

/// The board, and its memory as a hostile kid finds it.
struct victim {
  waiter::system::busy_board board{};
  unsigned char* begin = nullptr;
  std::size_t size = 0;

  victim() {
    waiter::error_code error;
    board.open(places, error);
    expect(!error, "no memory");
    for (std::size_t place = 0; place < places; ++place) board.seat(place);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find(" rw-s ") == line.npos) continue;
      std::uintptr_t first = 0, last = 0;
      char dash = 0;
      std::istringstream(line) >> std::hex >> first >> dash >> last;
      begin = reinterpret_cast<unsigned char*>(first);
      size = last - first;
    }
    expect(begin != nullptr, "no shared memory");
  }
};

waiter::kid_report report(const waiter::system::busy_board& board, std::size_t place) {
  using state = waiter::system::busy_board::state;
  using waiter::activity;
  const auto is = board.is(place);
  return {.state = waiter::system::busy_board::has_client(is) ? activity::busy
                   : is == state::idle                        ? activity::idle
                                                              : activity::starting,
          .since = board.since(place)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static victim one;
  if (size == 0) return 0;
  for (std::size_t at = 0; at < one.size; ++at) one.begin[at] = data[at % size];

  auto& board = one.board;
  const auto all = board.count();
  expect(0 <= all.busy && all.busy <= all.kids && all.kids <= static_cast<int>(places), "a census out of range");
  const int greeting = board.count_greeting();
  // A kid with many clients has 16 bits for those in their handshake.
  expect(0 <= greeting && greeting <= static_cast<int>(places) * 0x10000, "more handshakes than cells can tell");
  board.must_call();
  board.wake_at(static_cast<int>(data[0]) - 1);
  board.calls(0);

  const waiter::pool_limits limits{.prefork = 4, .maxfork = static_cast<int>(places), .px_idle = std::chrono::seconds(1)};
  waiter::supervisor mind(limits, std::chrono::seconds(1));
  waiter::kid_watch watch({std::chrono::milliseconds(1 + data[0]), std::chrono::milliseconds(1000)});
  auto now = clock_type::now();
  pid_t last_pid = 1000;
  std::vector<bool> asked(places), killed(places);
  for (std::size_t turn = 0; turn < 200; ++turn) {
    std::vector<waiter::kid_report> reports;
    for (std::size_t place = 0; place < places; ++place) {
      reports.push_back(report(board, place));
      expect(reports.back().since <= clock_type::now(), "a time in the future");
    }
    while (const auto order = watch.look(mind.kids(), reports, now)) {
      const auto slot = mind.kids().find(order->pid);
      expect(slot.has_value(), "an order about a stranger");
    }
    const auto next = mind.next(reports, now);
    switch (next.kind) {
      case waiter::action::fork:
        expect(next.slot < places && mind.kids().at(next.slot) == nullptr, "a fork into a slot that is not free");
        expect(mind.kids().count() < limits.maxfork, "more kids than maxfork");
        asked[next.slot] = killed[next.slot] = false;
        if (data[turn % size] % 7 == 0)
          mind.fork_failed(now);
        else
          mind.kid_forked(next.slot, ++last_pid, now);
        break;
      case waiter::action::ask:
        expect(next.slot < places && mind.kids().at(next.slot) && mind.kids().at(next.slot)->pid == next.pid,
               "a signal to a stranger");
        expect(!asked[next.slot], "asked twice");
        asked[next.slot] = true;
        break;
      case waiter::action::kill:
        expect(next.slot < places && mind.kids().at(next.slot) && mind.kids().at(next.slot)->pid == next.pid,
               "a signal to a stranger");
        expect(!killed[next.slot], "killed twice");
        killed[next.slot] = true;
        break;
      case waiter::action::finished: return 0;
      case waiter::action::wait: {
        const auto place = data[turn % size] % places;
        if (const auto* kid = mind.kids().at(place); kid != nullptr && data[turn % size] % 3 == 0) {
          mind.kid_ended(kid->pid, report(board, place), board.has_served(place), now);
          watch.kid_gone(place);
        }
        if (turn == 150) mind.stop(now);
        if (turn == 180) mind.hurry(now);
        now += std::chrono::milliseconds(data[(turn + 1) % size] * 10);
      }
    }
  }
  return 0;
}
