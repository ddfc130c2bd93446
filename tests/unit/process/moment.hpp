#ifndef WAITER_TESTS_UNIT_PROCESS_MOMENT_HPP
#define WAITER_TESTS_UNIT_PROCESS_MOMENT_HPP

#include <waiter/process/instant.hpp>

/// A moment of a test's own time: so long after it began.
constexpr waiter::instant at(waiter::milliseconds since_start) {
  return waiter::instant() + std::chrono::hours(24) + since_start;
}

#endif
