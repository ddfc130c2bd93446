#ifndef WAITER_CONTRACT_HAS_NAME_HPP
#define WAITER_CONTRACT_HAS_NAME_HPP

#include <concepts>
#include <string_view>

namespace waiter::contract {

/// A policy has a name, which the log shows.
template <class Policy>
concept has_name = requires {
  { Policy::name } -> std::convertible_to<std::string_view>;
};

}  // namespace waiter::contract

#endif
