#ifndef WAITER_PROCESS_MANAGER_REPORT_HPP
#define WAITER_PROCESS_MANAGER_REPORT_HPP

#include <waiter/census.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>

#include <algorithm>
#include <optional>

namespace waiter {

/// What a server has to tell its service manager, and when: that it is ready, that it lives (the watchdog), how many kids have a client.
class manager_report {
 public:
  enum class news { ready, watchdog, status };

  /// \param watchdog  the manager wants to hear of it within each such time; it hears twice as often
  explicit manager_report(milliseconds watchdog = never) : interval_(watchdog == never ? never : std::max(watchdog / 2, milliseconds(1))) {}

  /// The one thing to tell now, or nothing; call it until there is nothing.
  /// \param ready  clients are served from now on
  std::optional<news> next(census kids, bool ready, instant now) {
    kids_ = kids;
    looked_at_ = now;
    if (ready && !ready_) {
      ready_ = true;
      return news::ready;
    }
    if (interval_ != never && now >= alive_until_) {
      alive_until_ = later(now, interval_);
      return news::watchdog;
    }
    const bool changed = !told_ || told_->busy != kids.busy || told_->kids != kids.kids;
    if (ready_ && changed && (told_ || kids.kids > 0) && now >= later(told_at_, least_between)) {
      told_ = kids;
      told_at_ = now;
      return news::status;
    }
    return std::nullopt;
  }

  /// When to ask again, if nothing else happens: kids become busy without telling anybody.
  instant next_look() const noexcept {
    const instant status = kids_.kids > 0 ? later(std::max(looked_at_, told_at_), least_between) : instant::max();
    return interval_ == never ? status : std::min(status, alive_until_);
  }

  bool is_ready() const noexcept { return ready_; }
  /// What was ready is so no more, as while it reloads; `ready` is told again.
  void not_ready() noexcept { ready_ = false; }

 private:
  static constexpr milliseconds least_between{1000};

  milliseconds interval_;
  instant alive_until_{};
  instant looked_at_{};
  instant told_at_{};
  census kids_{};
  std::optional<census> told_;
  bool ready_ = false;
};

}  // namespace waiter

#endif
