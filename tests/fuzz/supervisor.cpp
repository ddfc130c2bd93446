// Reports and events in any order, of any content: the supervisor's orders fit its books.
#include <waiter/process/supervisor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// The input, piece by piece; zeroes when there is no more.
class pieces {
 public:
  pieces(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
  bool any() const { return left_ != 0; }
  template <class Number>
  Number take() {
    Number value{};
    const std::size_t size = left_ < sizeof value ? left_ : sizeof value;
    if (size != 0) std::memcpy(&value, at_, size);  // an empty input may be a null pointer, which memcpy(3) does not take
    at_ += size, left_ -= size;
    return value;
  }

 private:
  const std::uint8_t* at_;
  std::size_t left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waiter;
  constexpr std::size_t slots = 16;
  pieces in(data, size);
  const pool_limits limits{.prefork = 1 + in.take<std::uint8_t>() % 6,
                           .maxfork = 1 + in.take<std::uint8_t>() % 8,
                           .px_idle = milliseconds(1000 + in.take<std::uint8_t>() * 10)};
  supervisor mind(limits, milliseconds(in.take<std::uint8_t>() * 10));
  instant now = std::chrono::steady_clock::now();
  std::vector<kid_report> reports;
  pid_t last_pid = 100;
  while (in.any()) {
    const auto event = in.take<std::uint8_t>();
    const std::size_t slot = event / 16 % slots;
    switch (event % 8) {
      case 0:  // a lie, of any length
        reports.resize(in.take<std::uint8_t>() % (slots + 2));
        for (auto& one : reports)
          one = {static_cast<activity>(in.take<std::uint8_t>() % 3), instant(instant::duration(in.take<std::int64_t>())),
                 in.take<std::uint8_t>() % 4 == 0};
        break;
      case 1:
        if (const auto* kid = mind.kids().at(slot))
          mind.kid_ended(kid->pid, {activity::idle, instant(instant::duration(in.take<std::int64_t>()))}, event & 8, now);
        break;
      case 2: expect(!mind.kid_ended(99, {}, true, now), "a stranger was taken for a kid"); break;
      case 3: mind.stop(now); break;
      case 4: mind.hurry(now); break;
      case 5: mind.reload(); break;
      default: now += milliseconds(in.take<std::uint16_t>());
    }
    for (int step = 0; step < 100; ++step) {
      const auto next = mind.next(reports, now);
      const auto* kid = mind.kids().at(next.slot);
      if (next.kind == action::fork) {
        expect(kid == nullptr && mind.kids().count() < limits.most() && next.slot < slots, "a fork that has no place");
        if (event & 8)
          mind.fork_failed(now);
        else
          mind.kid_forked(next.slot, ++last_pid, now, now + milliseconds(event * 20));
      } else if (next.kind == action::ask || next.kind == action::kill) {
        expect(kid != nullptr && kid->pid == next.pid, "a signal to a stranger");
      } else {
        // Kids that did not even end when they were killed are abandoned, so some may be left.
        if (next.kind == action::finished) return 0;
        break;
      }
      expect(step < 99, "no end of orders");
    }
  }
  return 0;
}
