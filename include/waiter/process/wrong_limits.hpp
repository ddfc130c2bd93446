#ifndef WAITER_PROCESS_WRONG_LIMITS_HPP
#define WAITER_PROCESS_WRONG_LIMITS_HPP

#include <waiter/options.hpp>

#include <optional>
#include <string>

namespace waiter {

/// Nothing, or the inequality that does not hold between the limits of a client's time.
inline std::optional<std::string> wrong_limits(milliseconds soft, milliseconds hard) {
  const auto told = [](milliseconds limit) { return limit == never ? std::string("never") : std::to_string(limit.count()) + " ms"; };
  if (soft <= milliseconds::zero()) return "0 < soft_limit does not hold: soft_limit is " + told(soft) + " (.fork, see docs/options.md)";
  if (hard != never && soft != never && soft >= hard)
    return "soft_limit < hard_limit does not hold: " + told(soft) + " >= " + told(hard) + " (.fork, see docs/options.md)";
  if (hard <= milliseconds::zero()) return "0 < hard_limit does not hold: hard_limit is " + told(hard) + " (.fork, see docs/options.md)";
  return std::nullopt;
}

}  // namespace waiter

#endif
