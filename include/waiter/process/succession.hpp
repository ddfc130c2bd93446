#ifndef WAITER_PROCESS_SUCCESSION_HPP
#define WAITER_PROCESS_SUCCESSION_HPP

#include <waiter/process/child_table.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/kid_report.hpp>
#include <waiter/process/pool_limits.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>

namespace waiter {

/// How kids that are due to leave are replaced: those of an earlier generation, those past their time, and those that say that they
/// have had their number of clients.
///
/// The replacement comes first: nobody is asked to leave before another one waits for clients in its stead. So the pool is never
/// smaller for it, whoever is due at once, and when replacements do not come up the old ones serve on. Meanwhile it is larger by
/// a tenth of its base at most.
class succession {
 public:
  struct plan {
    int needed;                         ///< so many kids: the target, or more while somebody is due
    int under_way = 0;                  ///< so many of them are replacements
    std::optional<std::size_t> leaver{};  ///< can be asked now: somebody has taken its place
    bool awaits_start = false;          ///< as soon as a kid that starts is ready there may be a leaver
    instant look_again = instant::max();
  };

  explicit constexpr succession(const pool_limits& limits) : limits_(limits) {}

  /// \param target  how many kids the pool should have
  plan look(const child_table& kids, std::span<const kid_report> reports, int target, instant now) {
    plan next{.needed = target};
    int relied_on = 0, due = 0, starting = 0;
    std::optional<rank> first;
    kids.for_each([&](std::size_t slot, const child_table::kid& kid) {
      if (kid.asked || kid.stopped) return;
      ++relied_on;
      const kid_report said = hear(reports, slot, kid, now);
      if (!kids.outdated(kid) && kid.expires > now && !said.due) {
        // Those who were starting before anybody was due have been counted on all the while.
        if (said.state == activity::starting && busy() && kid.born >= since_) ++starting;
        next.look_again = std::min(next.look_again, kid.expires);
        return;
      }
      ++due;
      const rank own{said.state != activity::starting, -static_cast<long>(kids.age_of(kid)), said.state != activity::idle};
      if (first && *first <= own) return;
      first = own;
      next.leaver = slot;
    });
    if (due == 0) {
      size_ = 0;
      return next;
    }
    if (!busy()) {
      size_ = std::min(std::max(relied_on, target), limits_.maxfork);
      since_ = now;
    }
    size_ = std::max(size_, target);
    next.under_way = std::min(due, limits_.replaced_at_once());
    next.needed = size_ + next.under_way;
    next.awaits_start = starting > 0;
    if (relied_on - starting <= size_) next.leaver.reset();
    return next;
  }

  /// Somebody is due.
  constexpr bool busy() const { return size_ > 0; }

 private:
  // Who is asked first: who is not ready itself, then the oldest generation, then who is idle.
  using rank = std::tuple<bool, long, bool>;

  pool_limits limits_;
  int size_ = 0;     // of the pool, kept while somebody is due; otherwise 0
  instant since_{};  // somebody is due
};

}  // namespace waiter

#endif
