#ifndef WAITER_PROCESS_PACE_HPP
#define WAITER_PROCESS_PACE_HPP

#include <waiter/options.hpp>

#include <algorithm>
#include <cstdint>

namespace waiter {

/// Holds a client to a least rate of transfer, counted over the time that the server has waited for it: one byte now and then
/// keeps every deadline of a single read, and the process all the same.
class pace {
 public:
  /// So much waiting is free, so that a client that only thinks for a moment is not judged by it.
  static constexpr milliseconds free_wait{2000};

  /// \param least  bytes per second; 0 asks for nothing
  explicit constexpr pace(std::uint32_t least = 0) noexcept : least_(least) {}

  constexpr bool asks() const noexcept { return least_ != 0; }

  /// A wait that ended, and what it brought.
  constexpr void waited(milliseconds time, std::uint64_t bytes) noexcept {
    waited_ += std::max(time, milliseconds::zero());
    bytes_ += bytes;
  }

  /// How long the next wait may take before the client is too slow; 0 when it is.
  constexpr milliseconds patience() const noexcept {
    if (!asks()) return never;
    constexpr std::uint64_t most = 1'000'000'000'000;  // far beyond any life of a client, far below an overflow
    const milliseconds earned(static_cast<std::int64_t>(std::min(bytes_, most) * 1000 / least_));
    return std::max(free_wait + earned - waited_, milliseconds::zero());
  }

 private:
  std::uint32_t least_;
  milliseconds waited_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace waiter

#endif
