#ifndef WAITER_PROCESS_LISTEN_PLACE_HPP
#define WAITER_PROCESS_LISTEN_PLACE_HPP

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waiter {

/// One entry of `options::listen`, taken apart.
struct listen_place {
  enum class kind {
    internet,  ///< `name` is an address in numbers, without brackets
    local,     ///< `name` is a path, or with '@' in front a name of the abstract namespace (unix(7))
    passed,    ///< a socket that this process was started with; `name` is its name, or empty: all of them
  };

  kind is = kind::internet;
  std::string name{};
  std::uint16_t port = 0;

  bool operator==(const listen_place&) const = default;
};

/// Reads "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:@x", "inherited", "fd:NAME". Nothing when it has none of these forms;
/// whether there is such an address is not its question.
inline std::optional<listen_place> listen_place_of(std::string_view text) {
  using kind = listen_place::kind;
  if (text == "inherited") return listen_place{kind::passed};
  const auto after = [&](std::string_view prefix) { return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view(); };
  if (const auto name = after("unix:"); !name.empty() && name != "@") return listen_place{kind::local, std::string(name)};
  if (const auto name = after("fd:"); !name.empty()) return listen_place{kind::passed, std::string(name)};

  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto address = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const bool in_brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (in_brackets) address = address.substr(1, address.size() - 2);
  // Without brackets nobody could say which colon is the last one of an address of IPv6.
  if (address.empty() || in_brackets != (address.find_first_of(":[]") != address.npos)) return std::nullopt;
  return listen_place{kind::internet, std::string(address), port};
}

}  // namespace waiter

#endif
