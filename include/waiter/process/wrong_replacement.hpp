#ifndef WAITER_PROCESS_WRONG_REPLACEMENT_HPP
#define WAITER_PROCESS_WRONG_REPLACEMENT_HPP

#include <waiter/options.hpp>
#include <waiter/process/misfit.hpp>

#include <optional>
#include <string>

namespace waiter {

/// Nothing, or the inequality that does not hold for when kids are replaced, and how long the replaced ones may stay.
inline std::optional<std::string> wrong_replacement(int max_requests, milliseconds max_age, milliseconds drain_limit,
                                                    int max_old_generations) {
  if (max_requests < 0) return in_words({"0", 0, "max_requests", max_requests, true});
  if (max_age <= milliseconds::zero()) return in_words({"0", 0, "max_age", max_age.count(), false, " ms"});
  if (drain_limit <= milliseconds::zero()) return in_words({"0", 0, "drain_limit", drain_limit.count(), false, " ms"});
  if (max_old_generations < 1) return in_words({"1", 1, "max_old_generations", max_old_generations, true});
  return std::nullopt;
}

}  // namespace waiter

#endif
