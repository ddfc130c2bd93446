#ifndef WAITER_PROCESS_CHILD_TABLE_HPP
#define WAITER_PROCESS_CHILD_TABLE_HPP

#include <waiter/process/instant.hpp>

#include <sys/types.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <optional>
#include <vector>

namespace waiter {

/// Who lives. Each kid has a slot, which is its number for as long as it lives (its cell in shared memory has the same), and
/// is then vacant for the next one.
///
/// A kid leaves the table when it was waited for, and not before: until then the kernel gives its pid to nobody else, so a pid in
/// the table is always a kid of ours, and a recycled one is not taken for the dead.
class child_table {
 public:
  struct kid {
    pid_t pid = 0;
    instant born{};
    instant expires = instant::max();  // then another one should take its place
    unsigned generation = 0;           // that of the table when it was booked
    bool asked = false;                // to leave when its client is done
    bool replaced = false;             // asked because another one has taken its place
    bool killed = false;               // has been sent SIGKILL
    bool stopped = false;              // by a signal, and has not continued
  };

  /// \param expected  how many kids there is room for without another allocation; the table grows when there are more
  explicit child_table(int expected) { slots_.reserve(static_cast<std::size_t>(std::clamp(expected, 0, at_once))); }

  /// The lowest slot that nobody has, so that few kids stay within few slots.
  std::size_t vacant_slot() const {
    const auto found = std::find_if(slots_.begin(), slots_.end(), [](const kid& each) { return each.pid == 0; });
    return static_cast<std::size_t>(found - slots_.begin());
  }

  void book(std::size_t slot, pid_t pid, instant now, instant expires = instant::max()) {
    assert(pid > 0 && !find(pid) && !at(slot));
    if (slot >= slots_.size()) slots_.resize(slot + 1);
    slots_[slot] = {.pid = pid, .born = now, .expires = expires, .generation = generation_};
    ++count_;
  }

  void release(std::size_t slot) {
    assert(at(slot));
    replaced_ -= slots_[slot].replaced;
    slots_[slot] = {};
    --count_;
    while (!slots_.empty() && slots_.back().pid == 0) slots_.pop_back();
  }

  void mark_asked(std::size_t slot) {
    assert(at(slot) && !at(slot)->asked);
    slots_[slot].asked = true;
  }

  /// Asked, because another one has taken its place.
  void mark_replaced(std::size_t slot) {
    mark_asked(slot);
    slots_[slot].replaced = true;
    ++replaced_;
  }

  void mark_stopped(std::size_t slot, bool stopped) {
    assert(at(slot));
    slots_[slot].stopped = stopped;
  }

  void mark_killed(std::size_t slot) {
    assert(at(slot) && !at(slot)->killed);
    slots_[slot].killed = true;
  }

  /// From here on kids are of another generation.
  void begin_generation() { ++generation_; }

  /// Kids of a later generation are to take this one's place.
  bool outdated(const kid& one) const { return one.generation != generation_; }

  /// How many generations later kids are booked by now.
  unsigned age_of(const kid& one) const { return generation_ - one.generation; }

  /// How many generations have a kid that lives.
  int generations() const {
    std::vector<unsigned> all;
    for_each([&all](std::size_t, const kid& each) { all.push_back(each.generation); });
    std::sort(all.begin(), all.end());
    return static_cast<int>(std::unique(all.begin(), all.end()) - all.begin());
  }

  /// The kid in this slot; null when it is vacant.
  const kid* at(std::size_t slot) const { return slot < slots_.size() && slots_[slot].pid != 0 ? &slots_[slot] : nullptr; }

  /// The slot of a kid; none when the pid is not one of ours.
  std::optional<std::size_t> find(pid_t pid) const {
    return find_if([pid](const kid& each) { return each.pid == pid; });
  }

  /// The lowest slot whose kid is so.
  template <class Predicate>
  std::optional<std::size_t> find_if(Predicate is_so) const {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot].pid != 0 && is_so(slots_[slot])) return slot;
    return std::nullopt;
  }

  /// Calls `visit(slot, kid)` for each kid, in the order of slots.
  template <class Visitor>
  void for_each(Visitor visit) const {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot].pid != 0) visit(slot, slots_[slot]);
  }

  int count() const { return count_; }

  /// Those of them whose place another one has taken.
  int replaced() const { return replaced_; }

  /// All pids, in the order of slots.
  std::vector<pid_t> pids() const {
    std::vector<pid_t> all;
    all.reserve(static_cast<std::size_t>(count_));
    for_each([&all](std::size_t, const kid& each) { all.push_back(each.pid); });
    return all;
  }

 private:
  static constexpr int at_once = 65536;

  std::vector<kid> slots_;  // a pid of 0 marks a vacant one; the last is never vacant
  int count_ = 0;
  int replaced_ = 0;
  unsigned generation_ = 0;
};

}  // namespace waiter

#endif
