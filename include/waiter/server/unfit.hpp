#ifndef WAITER_SERVER_UNFIT_HPP
#define WAITER_SERVER_UNFIT_HPP

#include <waiter/limits.hpp>
#include <waiter/process/misfit.hpp>
#include <waiter/system/process_room.hpp>

#include <optional>
#include <string>

namespace waiter {

/// Nothing, or the inequality that does not hold between these options, or between them and what this process may have.
template <class Options>
std::optional<std::string> unfit(const Options& settings) {
  const auto all = limits_of(settings);
  auto wrong = find_misfit(all);
  if (!wrong) wrong = find_scarce(all, system::process_room());
  if (!wrong) return std::nullopt;
  return in_words(*wrong);
}

}  // namespace waiter

#endif
