#ifndef WAITER_EXAMPLES_SUPPORT_PORT_HPP
#define WAITER_EXAMPLES_SUPPORT_PORT_HPP

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace waiter_examples {

/// A port as it is written on a command line: 0 to 65535, where 0 lets the kernel choose. Nothing when it is none.
inline std::optional<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || rest != end) return std::nullopt;
  return port;
}

}  // namespace waiter_examples

#endif
