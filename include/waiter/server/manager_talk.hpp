#ifndef WAITER_SERVER_MANAGER_TALK_HPP
#define WAITER_SERVER_MANAGER_TALK_HPP

#include <waiter/census.hpp>
#include <waiter/error.hpp>
#include <waiter/options.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/manager_report.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/service_manager.hpp>

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace waiter {

/// What the listening process tells its service manager in the course of its life. Where there is none, and in kids, nothing is told.
class manager_talk {
 public:
  /// From now on it is told; the manager outlives this. Null: nobody is.
  void begin(system::service_manager* manager) noexcept {
    manager_ = manager != nullptr && manager->listens() ? manager : nullptr;
    if (manager_ == nullptr) return;
    const auto watchdog = manager_->watchdog_time();
    report_ = manager_report(watchdog ? std::chrono::floor<milliseconds>(*watchdog) : never);
    has_watchdog_ = watchdog.has_value();
  }

  bool is_on() const noexcept { return manager_ != nullptr; }
  /// Even a process that only accepts has to wake up for it.
  bool has_watchdog() const noexcept { return is_on() && has_watchdog_; }
  /// In a kid: when it was born the manager waited for `ready`, so the parent is to be woken when the kid is.
  bool is_awaited() const noexcept { return awaited_; }

  /// Tells what is due; when to come again.
  /// \param ready  clients are served from now on
  instant turn(census kids, bool ready, instant now) noexcept {
    if (!is_on()) return instant::max();
    while (const auto news = report_.next(kids, ready && !stopping_, now)) switch (*news) {
        case manager_report::news::ready: manager_->ready(); break;
        case manager_report::news::watchdog: manager_->watchdog(); break;
        case manager_report::news::status:
          manager_->status(std::to_string(kids.busy) + " of " + std::to_string(kids.kids) + " kids have a client");
          break;
      }
    return report_.next_look();
  }

  /// What was configured is read anew; when the server is ready again, the next `turn` says so.
  void reloading() noexcept {
    if (!is_on() || stopping_) return;
    manager_->reloading();
    report_.not_ready();
  }

  /// The server stops. It is told once.
  void stopping() noexcept {
    if (!is_on() || stopping_) return;
    stopping_ = true;
    manager_->stopping();
  }

  /// The manager is to look after that process from now on, which speaks for itself; this one is silent.
  void hand_over(pid_t pid) noexcept {
    if (is_on()) manager_->main_pid(pid);
    manager_ = nullptr;
  }
  /// What that process needs in its environment, to find the manager.
  std::vector<std::string> variables() const { return is_on() ? manager_->variables() : std::vector<std::string>(); }

  /// Gives the manager a copy of the socket, to be passed on under `name` when the service starts again. A stop leaves it alone then.
  error_code store(system::listener& socket, std::string_view name) noexcept {
    if (!is_on()) return {};
    const auto error = manager_->store(socket.get(), name);
    if (!error) socket.share();
    return error;
  }

  /// Any lines of sd_notify(3).
  error_code say(std::string_view lines) const noexcept { return is_on() ? manager_->send(lines) : error_code(); }

  /// In a kid.
  void become_kid() noexcept {
    awaited_ = is_on() && !stopping_ && !report_.is_ready();
    if (is_on()) manager_->leave();
    manager_ = nullptr;
  }

 private:
  system::service_manager* manager_ = nullptr;
  manager_report report_;
  bool has_watchdog_ = false;
  bool stopping_ = false;
  bool awaited_ = false;
};

}  // namespace waiter

#endif
