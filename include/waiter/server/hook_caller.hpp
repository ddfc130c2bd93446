#ifndef WAITER_SERVER_HOOK_CALLER_HPP
#define WAITER_SERVER_HOOK_CALLER_HPP

#include <waiter/contract/hook_access.hpp>
#include <waiter/hook.hpp>
#include <waiter/hook_name.hpp>
#include <waiter/server/client_fault.hpp>
#include <waiter/server/logger.hpp>
#include <waiter/system/own_children.hpp>
#include <waiter/system/signal_mask.hpp>

#include <unistd.h>

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace waiter {

/// Calls the hooks of a handler, with the signals let in, and lets nothing out that they throw: it goes to on_exception, or to the
/// log. What on_exception itself throws is kept, for run() to throw.
template <class Handler, class Client>
class hook_caller {
 public:
  hook_caller(Handler& handler, const std::function<void(std::string_view)>& logger, bool debug) noexcept
      : handler_(handler), logger_(logger), debug_(debug) {}
  hook_caller(const hook_caller&) = delete;
  hook_caller& operator=(const hook_caller&) = delete;

  template <hook Hook>
  static constexpr bool has = hook_access::bound<Hook, Handler, Client>;

  /// False when the hook threw.
  template <hook Hook, class... Args>
  bool call(Args&&... args) noexcept {
    if constexpr (has<Hook>) {
      std::optional<system::signal_mask::opened> open;
      std::optional<system::own_children::births> births;
      if (lifts_) {
        if (mask_ != nullptr) open.emplace(*mask_);
        if (own_children_) births.emplace(*own_children_);
      }
      try {
        hook_access::call<Hook>(handler_, std::forward<Args>(args)...);
      } catch (...) {
        caught(Hook);
        return false;
      }
    }
    return true;
  }

  /// on_process; what it returns, and true when that is nothing.
  bool process(Client& client) noexcept {
    try {
      if constexpr (std::same_as<decltype(hook_access::call<hook::on_process>(handler_, client)), bool>)
        return hook_access::call<hook::on_process>(handler_, client);
      else
        hook_access::call<hook::on_process>(handler_, client);
    } catch (...) {
      caught(hook::on_process);
    }
    return true;
  }

  /// A hook that may be a coroutine: what it returns. What it throws at once comes out.
  template <hook Hook>
  decltype(auto) invoke(Client& client) {
    return hook_access::call<Hook>(handler_, client);
  }

  /// In a handler of exceptions: tells what was thrown `where`.
  void caught(hook where) noexcept {
    const auto thrown = std::current_exception();
    const bool clients_fault = is_client_fault(thrown);
    threw_ = threw_ || !clients_fault;
    if constexpr (has<hook::on_exception>) {
      try {
        hook_access::call<hook::on_exception>(handler_, thrown);
      } catch (...) {
        escaped_ = std::current_exception();
        threw_ = true;
      }
    } else if (!clients_fault || debug_) {
      log_parts(logger_, name_of(where), " threw: ", what_of(thrown));
    }
  }

  /// The mask to lift around each hook; null when the signals are let in anyway.
  void lift(const system::signal_mask* mask) noexcept {
    mask_ = mask;
    mind_children(mask != nullptr);
  }
  const system::signal_mask* lifted() const noexcept { return mask_; }

  /// In process 1: the children that are there now, and those that hooks start from now on, are the program's own. Elsewhere nothing.
  void mind_children(bool mind) noexcept {
    own_children_.reset();
    if (mind && ::getpid() == 1) own_children_.emplace();
    lifts_ = mask_ != nullptr || own_children_;
  }
  /// For hooks that are called without `call`; null where nothing is minded.
  system::own_children* minded_children() noexcept { return own_children_ ? &*own_children_ : nullptr; }
  /// Reaps orphans that have ended, where children are minded. `ours(pid)` tells a kid of the server.
  template <class Ours>
  void reap_orphans(Ours&& ours) noexcept {
    if (own_children_) own_children_->reap_orphans(ours);
  }

  /// A hook threw, and it was more than a client who went away.
  bool threw() const noexcept { return threw_; }
  /// A kid's account begins anew.
  void forgive() noexcept { threw_ = false; }
  /// What on_exception threw.
  const std::exception_ptr& escaped() const noexcept { return escaped_; }

 private:
  Handler& handler_;
  const std::function<void(std::string_view)>& logger_;
  const system::signal_mask* mask_ = nullptr;
  std::optional<system::own_children> own_children_;
  std::exception_ptr escaped_;
  const bool debug_;
  bool threw_ = false;
  bool lifts_ = false;  // there is something to be done around a hook
};

}  // namespace waiter

#endif
