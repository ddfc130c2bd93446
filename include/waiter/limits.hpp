#ifndef WAITER_LIMITS_HPP
#define WAITER_LIMITS_HPP

#include <waiter/options.hpp>

#include <concepts>

namespace waiter {

/// Those settings that have to fit together. Names, meanings and defaults are those of the options; unlike them, all of it can be
/// known to the compiler, so `within` proves literal ones and puts them into the options.
struct limits {
  milliseconds handshake_timeout{10000};
  milliseconds client_timeout = never;
  milliseconds soft_limit = never;
  milliseconds hard_limit = never;
  milliseconds grace{8000};
  int prefork = 8;
  int maxfork = 0;
  int backlog = 0;
};

/// The options have this limit, by its name and of its type.
template <class Options>
concept has_handshake_timeout = requires(Options options) {
  requires std::same_as<decltype(options.transport.handshake_timeout), milliseconds>;
};
template <class Options>
concept has_soft_limit = requires(Options options) {
  requires std::same_as<decltype(options.fork.soft_limit), milliseconds>;
};
template <class Options>
concept has_hard_limit = requires(Options options) {
  requires std::same_as<decltype(options.fork.hard_limit), milliseconds>;
};
template <class Options>
concept has_prefork = requires(Options options) {
  requires std::same_as<decltype(options.fork.prefork), int>;
};
template <class Options>
concept has_maxfork = requires(Options options) {
  requires std::same_as<decltype(options.fork.maxfork), int>;
};

/// Calls `each(member of limits, member of options, default)` for those that the options have.
template <class Limits, class Options, class Each>
constexpr void for_each_limit(Limits& all, Options& options, Each&& each) {
  constexpr limits unset;
  if constexpr (has_handshake_timeout<Options>)
    each(all.handshake_timeout, options.transport.handshake_timeout, unset.handshake_timeout);
  each(all.client_timeout, options.client_timeout, unset.client_timeout);
  if constexpr (has_soft_limit<Options>) each(all.soft_limit, options.fork.soft_limit, unset.soft_limit);
  if constexpr (has_hard_limit<Options>) each(all.hard_limit, options.fork.hard_limit, unset.hard_limit);
  each(all.grace, options.grace, unset.grace);
  if constexpr (has_prefork<Options>) each(all.prefork, options.fork.prefork, unset.prefork);
  if constexpr (has_maxfork<Options>) each(all.maxfork, options.fork.maxfork, unset.maxfork);
  each(all.backlog, options.backlog, unset.backlog);
}

/// The limits that stand in these options.
template <class Options>
constexpr limits limits_of(const Options& options) {
  limits all;
  for_each_limit(all, options, [](auto& limit, const auto& option, const auto&) { limit = option; });
  return all;
}

}  // namespace waiter

#endif
