#ifndef WAITER_CONTRACT_FORK_POLICY_HPP
#define WAITER_CONTRACT_FORK_POLICY_HPP

#include <waiter/census.hpp>
#include <waiter/contract/has_name.hpp>
#include <waiter/hook.hpp>

#include <sys/types.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace waiter {

/// The least that is a fork policy: it serves nobody. Policies are explained in `docs/contracts.md`.
struct fork_policy_archetype {
  struct options {};
  static constexpr std::string_view name = "archetype";
  using runs = hooks<>;

  std::optional<std::string> prepare(const options&) { return std::nullopt; }
  template <class Host>
  void serve(Host&) {}
  census count() const noexcept { return {}; }
  std::vector<pid_t> kid_pids() const { return {}; }
  void signal_kids(int) noexcept {}
};

namespace contract {

template <class>
inline constexpr bool is_hooks = false;
template <hook... Members>
inline constexpr bool is_hooks<hooks<Members...>> = true;

/// Whose shape `serve` is asked with: it must take any host, so it is a template.
struct some_host;

// The clauses of a fork policy, one by one, so that a fault gives one sentence.
template <class Policy>
concept has_fork_options = requires { requires std::default_initializable<typename Policy::options>; };
template <class Policy>
concept has_runs = requires { requires is_hooks<typename Policy::runs>; };
template <class Policy>
concept has_fork_prepare = requires(Policy& policy, const typename Policy::options& settings) {
  { policy.prepare(settings) } -> std::same_as<std::optional<std::string>>;
};
template <class Policy>
concept has_serve = requires(Policy& policy, some_host& host) {
  { policy.serve(host) } -> std::same_as<void>;
};
template <class Policy>
concept has_count = requires(const Policy& policy) {
  { policy.count() } noexcept -> std::same_as<census>;
};
template <class Policy>
concept has_kid_pids = requires(const Policy& policy) {
  { policy.kid_pids() } -> std::same_as<std::vector<pid_t>>;
};
template <class Policy>
concept has_signal_kids = requires(Policy& policy) {
  { policy.signal_kids(0) } noexcept;
};

}  // namespace contract

/// Who serves a client: a policy of this kind is the second parameter of `basic_waiter`.
template <class Policy>
concept fork_policy = std::default_initializable<Policy> && contract::has_name<Policy> && contract::has_fork_options<Policy> &&
                      contract::has_runs<Policy> && contract::has_fork_prepare<Policy> && contract::has_serve<Policy> &&
                      contract::has_count<Policy> && contract::has_kid_pids<Policy> && contract::has_signal_kids<Policy>;

static_assert(fork_policy<fork_policy_archetype> && !fork_policy<int>);

namespace contract {

/// Says what is wrong with a policy, in one sentence for each broken clause, and is no code at all.
template <class Policy>
constexpr void explain_fork_policy() {
  // What is no class has broken every clause, and one sentence is enough; so is one for what builds on a broken clause.
  constexpr bool silent = !std::is_class_v<Policy> || fork_policy<Policy>;
  static_assert(std::is_class_v<Policy>,
                "waiter: the second parameter of basic_waiter is a fork policy: nofork, forking, prefork, or a class of your own. "
                "See docs/contracts.md");
  static_assert(std::default_initializable<Policy> || silent,
                "waiter: a fork policy is made without arguments: give it a default constructor. See docs/contracts.md");
  static_assert(has_fork_options<Policy> || silent,
                "waiter: a fork policy has options that may all be left out: `struct options {};`. See docs/contracts.md");
  static_assert(has_name<Policy> || silent,
                "waiter: a fork policy has a name for the log: `static constexpr std::string_view name = \"…\";`. See "
                "docs/contracts.md");
  static_assert(has_runs<Policy> || silent,
                "waiter: a fork policy states the hooks it calls: `using runs = waiter::hooks<waiter::hook::on_process, …>;`. See "
                "docs/contracts.md");
  static_assert(has_fork_prepare<Policy> || !has_fork_options<Policy> || silent,
                "waiter: a fork policy is told its options before it serves: `std::optional<std::string> prepare(const options&)`, "
                "which returns what is wrong with them, or nothing. See docs/contracts.md");
  static_assert(has_serve<Policy> || silent,
                "waiter: a fork policy serves until its host is to stop: `template <class Host> void serve(Host& host)`. See "
                "docs/contracts.md");
  static_assert(has_count<Policy> || silent,
                "waiter: a fork policy counts its kids, in any process: `waiter::census count() const noexcept`. See "
                "docs/contracts.md");
  static_assert(has_kid_pids<Policy> || silent,
                "waiter: a fork policy lists its kids: `std::vector<pid_t> kid_pids() const`. See docs/contracts.md");
  static_assert(has_signal_kids<Policy> || silent,
                "waiter: a fork policy sends signals to its kids: `void signal_kids(int signal) noexcept`. See docs/contracts.md");
}

/// The archetype stands in for a faulty policy, so that nothing else falls over.
template <class Policy>
using checked_fork_policy = std::conditional_t<fork_policy<Policy>, Policy, fork_policy_archetype>;

}  // namespace contract
}  // namespace waiter

#endif
