#ifndef WAITER_PROCESS_LIFESPAN_HPP
#define WAITER_PROCESS_LIFESPAN_HPP

#include <waiter/options.hpp>

#include <algorithm>
#include <cstdint>

namespace waiter {

/// After how many clients, and after what time, a kid should be replaced.
struct lifespan {
  std::uint32_t clients = 0;  ///< 0: never for that
  milliseconds age = never;

  friend constexpr bool operator==(const lifespan&, const lifespan&) = default;
};

/// Gives each kid a lifespan of its own, so that those who were born together need not all be replaced together.
///
/// The n-th kid's is shorter than the limit by the fraction of n times the golden ratio, of the spread: such fractions lie evenly
/// between 0 and 1 however many there are, and neighbours are far apart. There is no chance in it, so what happens can be repeated.
class lifespans {
 public:
  struct limits {
    int clients = 0;                      ///< 0, or below: never for that
    int clients_spread = -1;              ///< a kid's own number is lower by no more than this; below 0: by a tenth
    milliseconds age = never;
    milliseconds age_spread{-1};
  };

  lifespans() = default;
  explicit constexpr lifespans(const limits& given)
      : longest_{static_cast<std::uint32_t>(std::max(given.clients, 0)), given.age},
        clients_spread_(given.clients_spread < 0 ? longest_.clients / 10 : static_cast<std::uint32_t>(given.clients_spread)),
        age_spread_(given.age_spread < milliseconds::zero() ? given.age / 10 : given.age_spread) {
    clients_spread_ = std::min(clients_spread_, longest_.clients > 0 ? longest_.clients - 1 : 0);
    age_spread_ = std::min(age_spread_, longest_.age);
  }

  /// Kids are to be told how many clients they may have.
  constexpr bool counts_clients() const { return longest_.clients > 0; }

  /// The next kid's.
  constexpr lifespan next() {
    constexpr std::uint32_t golden = 0x9e3779b9;  // 2^32 divided by the golden ratio
    const std::uint32_t fraction = golden * born_++;
    lifespan own = longest_;
    own.clients -= static_cast<std::uint32_t>((std::uint64_t{clients_spread_} * fraction) >> 32);
    if (own.age != never) own.age -= milliseconds(share(static_cast<std::uint64_t>(age_spread_.count()), fraction));
    return own;
  }

 private:
  // whole * fraction / 2^32, without an overflow
  static constexpr std::int64_t share(std::uint64_t whole, std::uint32_t fraction) {
    return static_cast<std::int64_t>((whole >> 32) * fraction + (((whole & 0xffffffff) * fraction) >> 32));
  }

  lifespan longest_;
  std::uint32_t clients_spread_ = 0;
  milliseconds age_spread_{};
  std::uint32_t born_ = 0;
};

}  // namespace waiter

#endif
