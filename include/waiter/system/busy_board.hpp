#ifndef WAITER_SYSTEM_BUSY_BOARD_HPP
#define WAITER_SYSTEM_BUSY_BOARD_HPP

#include <waiter/census.hpp>
#include <waiter/error.hpp>
#include <waiter/process/door_turn.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <new>
#include <utility>

namespace waiter::system {

/// One cell of memory for each kid, shared by all processes of a server: is there a kid, and does it have a client.
///
/// Each cell has one writer at a time: the parent while the place is empty, then the kid. Nothing is locked, so a kid that dies
/// at any instruction holds up nobody, and sums are counted when they are asked for, so none can be left wrong. The memory is
/// anonymous: it is gone with the last process. Whatever a parent reads here is hearsay, since any kid can write all of it; no
/// value is used as a pid, an index, a size or a pointer.
class busy_board {
 public:
  enum class state : std::uint32_t { vacant, starting, idle, greeting, busy, open, leaving };

  /// A kid in this state has a client: one that is still in its handshake, or one that is served; or many, and would take more.
  static constexpr bool has_client(state one) noexcept {
    return one == state::greeting || one == state::busy || one == state::open;
  }

  busy_board() = default;
  busy_board(const busy_board&) = delete;
  busy_board& operator=(const busy_board&) = delete;
  ~busy_board() { close(); }

  /// Room for `places` kids. Pages that no kid uses take no memory (mmap(2), MAP_NORESERVE).
  void open(std::size_t places, error_code& error) noexcept {
    const std::size_t size = sizeof(header) + places * sizeof(cell);
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return error.assign(errno, boost::system::system_category());
    header_ = new (memory) header;
    // The kernel's zeroes are cells already: vacant, and never used.
    cells_ = reinterpret_cast<cell*>(header_ + 1);
    places_ = places;
  }

  void close() noexcept {
    if (header_ != nullptr) ::munmap(header_, sizeof(header) + places_ * sizeof(cell));
    header_ = nullptr;
    cells_ = nullptr;
    places_ = used_ = 0;
  }

  std::size_t places() const noexcept { return places_; }

  // ---- in the parent

  /// Before a fork: the place is the next kid's.
  void seat(std::size_t place) noexcept {
    auto& one = cells_[place];
    one.served.store(0, std::memory_order_relaxed);
    one.due.store(0, std::memory_order_relaxed);
    one.crowd.store(0, std::memory_order_relaxed);
    one.since.store(now(), std::memory_order_relaxed);
    one.is.store(state::starting, std::memory_order_release);
    if (place >= used_) header_->used.store(used_ = place + 1, std::memory_order_relaxed);
  }

  /// After the kid is reaped, or was not born.
  void vacate(std::size_t place) noexcept {
    cells_[place].crowd.store(0, std::memory_order_relaxed);
    cells_[place].is.store(state::vacant, std::memory_order_release);
  }

  /// A kid that takes a client while no more than `mark` others are idle wakes the parent; below 0 nobody does.
  void wake_at(int mark) noexcept {
    if (header_->mark.load(std::memory_order_relaxed) != mark) header_->mark.store(mark, std::memory_order_relaxed);
  }

  /// How urgently kids have called since this was last lowered: 0 not at all, 1 few are idle, 2 nobody is.
  void calls(int level) noexcept {
    header_->called.store(level, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  /// A kid that gets ready wakes the parent, or does not.
  void expect_start(bool expected) noexcept {
    header_->expects_start.store(expected ? 1 : 0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  // ---- in the kid whose place it is

  void idle(std::size_t place) noexcept { enter(place, state::idle); }
  /// The kid has a client that is in its handshake. Also by the parent, for a kid that is about to be born with one.
  void greeting(std::size_t place) noexcept { enter(place, state::greeting, exactly_now()); }
  void busy(std::size_t place) noexcept { enter(place, state::busy); }
  /// The same where nobody asks since when: that stays as it was.
  void busy_untimed(std::size_t place) noexcept { cells_[place].is.store(state::busy, std::memory_order_release); }
  /// The handshake is done; it is the same client, so its time runs on.
  void greeted(std::size_t place) noexcept { cells_[place].is.store(state::busy, std::memory_order_release); }
  /// The kid has served a client, and is idle.
  void served(std::size_t place) noexcept {
    auto& one = cells_[place];
    one.served.store(one.served.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    one.since.store(now(), std::memory_order_relaxed);
    one.is.store(state::idle, std::memory_order_release);
  }

  /// The kid takes no more clients. It was idle until now, or busy.
  void leaving(std::size_t place) noexcept { cells_[place].is.store(state::leaving, std::memory_order_release); }
  /// The kid has had as many clients as it should.
  void due(std::size_t place) noexcept { cells_[place].due.store(1, std::memory_order_release); }

  /// True when the kid that has just become idle for the first time is to wake the parent.
  bool start_is_expected() noexcept {
    // As in `must_call`: the kid says that it is ready and then looks; the parent says that it wants to know and then looks.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return header_->expects_start.load(std::memory_order_relaxed) != 0;
  }

  /// A kid that has many clients at once: how many by now, how many of these are in their handshake, and whether it would take another.
  /// True when it has become busy by that: it takes no more.
  bool many(std::size_t place, std::uint32_t clients, std::uint32_t in_handshake, bool takes_more) noexcept {
    auto& one = cells_[place];
    one.crowd.store(std::uint64_t{takes_more} << 63 | std::uint64_t{in_handshake & 0xffff} << 32 | clients, std::memory_order_relaxed);
    const state before = one.is.load(std::memory_order_relaxed);
    const state next = clients == 0 ? state::idle : takes_more ? state::open : state::busy;
    if (next != before) enter(place, next);
    return next != before && next == state::busy;
  }

  /// True when the kid that has just become busy is to wake the parent, which nobody did since the parent last looked.
  bool must_call() noexcept {
    const int mark = header_->mark.load(std::memory_order_relaxed);
    if (mark < 0) return false;
    // The kid says that it is busy and then looks whether it must call; the parent says that it wants to be called and then
    // looks who is busy. One of them sees the other.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    int idle = 0;
    for (std::size_t place = 0; place < used() && idle <= mark; ++place)
      idle += is(place) == state::idle || is(place) == state::starting || is(place) == state::open;
    if (idle > mark) return false;
    const int level = idle == 0 ? 2 : 1;
    // Two kids may both find that nobody called yet; the parent wakes once for both.
    if (header_->called.load(std::memory_order_relaxed) >= level) return false;
    header_->called.store(level, std::memory_order_relaxed);
    return true;
  }

  // ---- in any process

  state is(std::size_t place) const noexcept { return cells_[place].is.load(std::memory_order_acquire); }
  bool has_served(std::size_t place) const noexcept { return cells_[place].served.load(std::memory_order_relaxed) != 0; }

  bool is_due(std::size_t place) const noexcept { return cells_[place].due.load(std::memory_order_relaxed) != 0; }

  /// Since when it is what it is; never later than now.
  std::chrono::steady_clock::time_point since(std::size_t place) const noexcept {
    const auto told = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(cells_[place].since.load(std::memory_order_relaxed)));
    return std::min(told, std::chrono::steady_clock::now());
  }

  /// True once a second, for whichever process asks first: what all of them notice needs one line in the log.
  bool first_this_second() noexcept {
    const std::int64_t time = now();
    auto last = header_->said.load(std::memory_order_relaxed);
    return time - last >= 1'000'000'000 && header_->said.compare_exchange_strong(last, time, std::memory_order_relaxed);
  }

  /// How many clients are in their handshake.
  int count_greeting() const noexcept {
    int count = 0;
    for (std::size_t place = 0; place < used(); ++place) {
      count += is(place) == state::greeting;
      count += static_cast<int>(crowd(place) >> 32 & 0xffff);
    }
    return count;
  }

  /// Of more than `most` clients in their handshake this kid's is one of those who have been at it for longest.
  bool gives_way(std::size_t place, int most) const noexcept {
    if (is(place) != state::greeting) return false;
    const auto began = since(place);
    int all = 0, before = 0;
    for (std::size_t other = 0; other < used(); ++other) {
      if (is(other) != state::greeting) continue;
      ++all;
      before += std::pair(since(other), other) < std::pair(began, place);
    }
    return before < all - most;
  }

  /// The clients of all kids that have many at once, and would take another.
  attendance at_door() const noexcept {
    attendance all;
    for (std::size_t place = 0; place < used(); ++place) {
      const std::uint64_t one = crowd(place);
      if (one >> 63 == 0) continue;
      all.clients += static_cast<std::uint32_t>(one);
      ++all.processes;
    }
    return all;
  }

  census count() const noexcept {
    census all;
    for (std::size_t place = 0; place < used(); ++place) {
      const state one = is(place);
      all.kids += one != state::vacant;
      all.busy += has_client(one);
    }
    return all;
  }

 private:
  // A line of the cache each, so that kids on different cores do not write into one another's.
  struct alignas(64) cell {
    std::atomic<state> is;
    std::atomic<std::uint32_t> served;
    std::atomic<std::int64_t> since;
    std::atomic<std::uint32_t> due;
    std::atomic<std::uint64_t> crowd;  // of many clients: takes more (bit 63), in their handshake (16 bits from 32), all (32 bits)
  };
  struct alignas(64) header {
    std::atomic<std::size_t> used{0};
    std::atomic<int> mark{-1};
    std::atomic<int> called{0};
    std::atomic<int> expects_start{0};
    std::atomic<std::int64_t> said{-1'000'000'000};
  };
  static_assert(std::atomic<state>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

  // The parent asks its own memory how many places were ever used; a kid asks the board, but never past its end.
  std::size_t used() const noexcept {
    return header_ == nullptr ? 0 : std::min(std::max(used_, header_->used.load(std::memory_order_relaxed)), places_);
  }

  std::uint64_t crowd(std::size_t place) const noexcept { return cells_[place].crowd.load(std::memory_order_relaxed); }

  void enter(std::size_t place, state next) noexcept { enter(place, next, now()); }
  void enter(std::size_t place, state next, std::int64_t since) noexcept {
    cells_[place].since.store(since, std::memory_order_relaxed);
    cells_[place].is.store(next, std::memory_order_release);
  }

  // Some milliseconds coarse, and a fifth of the price of the exact clock (clock_gettime(2)); the same epoch as steady_clock.
  static std::int64_t now() noexcept {
    timespec time{};
#ifdef CLOCK_MONOTONIC_COARSE
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
#else
    ::clock_gettime(CLOCK_MONOTONIC, &time);
#endif
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }

  // Where it matters who came first.
  static std::int64_t exactly_now() noexcept { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

  header* header_ = nullptr;
  cell* cells_ = nullptr;
  std::size_t places_ = 0;
  std::size_t used_ = 0;
};

}  // namespace waiter::system

#endif
