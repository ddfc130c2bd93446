#ifndef WAITER_PROCESS_MISFIT_HPP
#define WAITER_PROCESS_MISFIT_HPP

#include <waiter/limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace waiter {

/// An inequality between two settings that does not hold.
struct misfit {
  std::string_view smaller;
  std::int64_t left;
  std::string_view larger;
  std::int64_t right;
  bool or_equal = false;  ///< `<=` is asked for, not `<`
  std::string_view unit = {};

  friend constexpr bool operator==(const misfit&, const misfit&) = default;
};

/// "soft_limit < hard_limit does not hold: 2000 ms >= 1000 ms (see docs/options.md)"
inline std::string in_words(const misfit& wrong) {
  const auto put = [&wrong](std::int64_t number) { return std::to_string(number).append(wrong.unit); };
  return std::string(wrong.smaller) + (wrong.or_equal ? " <= " : " < ") + std::string(wrong.larger) +
         " does not hold: " + put(wrong.left) + (wrong.or_equal ? " > " : " >= ") + put(wrong.right) + " (see docs/options.md)";
}

/// The times of a client, from the one that has to be the shortest: what is cut by a later one was given the chance to be cut by an
/// earlier one, more gently; and a stop cuts nobody who keeps to the rest.
struct times {
  struct one {
    std::string_view name;
    milliseconds value;
    milliseconds unset;

    /// `never`, and a grace of 0 (at once), ask for no order; a default was not asked for at all.
    constexpr bool binds() const { return value != never && value != unset && value > milliseconds::zero(); }
  };

  static constexpr std::array<one, 5> of(const limits& all) {
    constexpr limits unset;
    return {one{"handshake_timeout", all.handshake_timeout, unset.handshake_timeout},
            one{"client_timeout", all.client_timeout, never}, one{"soft_limit", all.soft_limit, never},
            one{"hard_limit", all.hard_limit, never}, one{"grace", all.grace, unset.grace}};
  }
};

/// The first inequality that no other rule resolves. What is `never`, or at its default, contradicts nothing: a user who sets one
/// option is not refused for another that he never wrote.
constexpr std::optional<misfit> find_misfit(const limits& all) {
  constexpr std::string_view ms = " ms";
  const auto chain = times::of(all);
  for (const auto& each : chain) {
    const bool zero_is_fine = each.name == "grace";
    if (each.value < milliseconds::zero() || (each.value == milliseconds::zero() && !zero_is_fine))
      return misfit{"0", 0, each.name, each.value.count(), zero_is_fine, ms};
  }
  for (std::size_t at = 0; at < chain.size(); ++at)
    for (std::size_t later = at + 1; later < chain.size(); ++later)
      if (chain[at].binds() && chain[later].binds() && chain[at].value >= chain[later].value)
        return misfit{chain[at].name, chain[at].value.count(), chain[later].name, chain[later].value.count(), false, ms};
  return std::nullopt;
}

/// A pool that was asked to be larger than it may be. A rule resolves it, `maxfork` wins, so it is told and not refused.
constexpr std::optional<misfit> find_capped(const limits& all) {
  constexpr limits unset;
  const std::int64_t prefork = all.prefork < 0 ? -std::int64_t{all.prefork} : all.prefork;
  if (all.prefork == unset.prefork || all.maxfork <= 0 || prefork <= all.maxfork) return std::nullopt;
  return misfit{"prefork", prefork, "maxfork", all.maxfork, true};
}

/// What the system lets this process have.
struct room {
  static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

  std::int64_t open_descriptors = 0;
  std::int64_t most_descriptors = unlimited;
  std::int64_t most_processes = unlimited;
};

/// The listening socket, what wakes a parent and its kids, and one client. No kid costs its parent a descriptor, so `maxfork` does
/// not multiply anything.
inline constexpr std::int64_t descriptors_needed = 6;

/// What the system will not let these settings have.
constexpr std::optional<misfit> find_scarce(const limits& all, const room& here) {
  const std::int64_t descriptors = here.open_descriptors + descriptors_needed;
  if (descriptors > here.most_descriptors)
    return misfit{"open descriptors + 6", descriptors, "RLIMIT_NOFILE", here.most_descriptors, true};
  if (all.maxfork > here.most_processes) return misfit{"maxfork", all.maxfork, "RLIMIT_NPROC", here.most_processes, true};
  return std::nullopt;
}

}  // namespace waiter

#endif
