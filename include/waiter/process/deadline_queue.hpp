#ifndef WAITER_PROCESS_DEADLINE_QUEUE_HPP
#define WAITER_PROCESS_DEADLINE_QUEUE_HPP

#include <waiter/process/instant.hpp>

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace waiter {

/// Many that are each to be looked at by a certain instant, and which of them is the first. Sixteen bytes for each.
///
/// An `Owner` has a `std::size_t queue_place = deadline_queue<Owner>::nowhere`, which is this queue's alone, and leaves the queue
/// before it dies.
template <class Owner>
class deadline_queue {
 public:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }

  /// When the first is due; `instant::max()` when there is none.
  instant first() const noexcept { return heap_.empty() ? instant::max() : heap_.front().due; }

  /// When this one is due; `instant::max()` when it is not in the queue.
  instant due(const Owner& owner) const noexcept { return holds(owner) ? heap_[owner.queue_place].due : instant::max(); }

  /// Sets when `owner` is due, whether it is in the queue already or not.
  void book(Owner& owner, instant due) {
    if (!holds(owner)) {
      heap_.push_back({due, &owner});
      owner.queue_place = heap_.size() - 1;
    }
    heap_[owner.queue_place].due = due;
    settle(owner.queue_place);
  }

  void remove(Owner& owner) noexcept {
    if (!holds(owner)) return;
    const std::size_t place = std::exchange(owner.queue_place, nowhere);
    const entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    put(place, last);
    settle(place);
  }

  /// Takes the first out if it is due, and gives it; null when none is.
  Owner* take_due(instant now) noexcept {
    if (first() > now || heap_.empty()) return nullptr;
    Owner* const owner = heap_.front().owner;
    remove(*owner);
    return owner;
  }

 private:
  struct entry {
    instant due;
    Owner* owner;
  };

  bool holds(const Owner& owner) const noexcept {
    assert(owner.queue_place == nowhere || (owner.queue_place < heap_.size() && heap_[owner.queue_place].owner == &owner));
    return owner.queue_place != nowhere;
  }

  void put(std::size_t place, const entry& one) noexcept {
    heap_[place] = one;
    one.owner->queue_place = place;
  }

  // Whoever stands at `place` moves up or down to where it belongs.
  void settle(std::size_t place) noexcept {
    const entry moved = heap_[place];
    for (; place != 0 && moved.due < heap_[(place - 1) / 2].due; place = (place - 1) / 2) put(place, heap_[(place - 1) / 2]);
    for (;;) {
      std::size_t below = 2 * place + 1;
      if (below >= heap_.size()) break;
      if (below + 1 < heap_.size() && heap_[below + 1].due < heap_[below].due) ++below;
      if (moved.due <= heap_[below].due) break;
      put(place, heap_[below]);
      place = below;
    }
    put(place, moved);
  }

  std::vector<entry> heap_;
};

}  // namespace waiter

#endif
