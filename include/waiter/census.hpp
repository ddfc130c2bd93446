#ifndef WAITER_CENSUS_HPP
#define WAITER_CENSUS_HPP

namespace waiter {

/// How many kids there are, and how many of them have a client.
struct census {
  int busy = 0;
  int kids = 0;

  constexpr int idle() const { return kids - busy; }
  friend constexpr bool operator==(const census&, const census&) = default;
};

}  // namespace waiter

#endif
