#ifndef WAITER_PROCESS_HERITAGE_HPP
#define WAITER_PROCESS_HERITAGE_HPP

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace waiter {

/// Descriptors in words: "4,5"; an empty text is none.
inline std::string list_of(const std::vector<int>& descriptors) {
  std::string text;
  for (const int one : descriptors) text.append(text.empty() ? "" : ",").append(std::to_string(one));
  return text;
}

/// The same back; nothing when it is no such list.
inline std::optional<std::vector<int>> read_list(std::string_view text) {
  std::vector<int> descriptors;
  while (!text.empty()) {
    int one = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), one);
    if (error != std::errc() || one < 0) return std::nullopt;
    descriptors.push_back(one);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) break;
    if (text.front() != ',' || text.size() == 1) return std::nullopt;
    text.remove_prefix(1);
  }
  return descriptors;
}

/// What a program is started with by the server that it is to succeed: the descriptors of the channel on which it says that it is
/// ready, and of the sockets on which that server listens; one that a service manager has passed has its name, too. It comes in the
/// environment, as `WAITER_UPGRADE=3:4:5=http`.
struct heritage {
  static constexpr const char* variable = "WAITER_UPGRADE";

  struct socket {
    int descriptor = -1;
    std::optional<std::string> name{};
    bool operator==(const socket&) const = default;
  };

  int channel = -1;
  std::vector<socket> sockets{};

  bool operator==(const heritage&) const = default;

  std::string text() const {
    std::string all = std::to_string(channel);
    for (const auto& one : sockets) {
      all.append(":").append(std::to_string(one.descriptor));
      if (one.name) all.append("=").append(*one.name);
    }
    return all;
  }

  static std::optional<heritage> read(std::string_view text) {
    heritage all;
    for (bool first = true;; first = false) {
      const auto part = text.substr(0, text.find(':'));
      const auto equals = part.find('=');
      const auto number = read_list(part.substr(0, equals));
      if (!number || number->size() != 1 || (first && equals != part.npos)) return std::nullopt;
      if (first)
        all.channel = number->front();
      else
        all.sockets.push_back({number->front(), equals == part.npos ? std::nullopt : std::optional<std::string>(part.substr(equals + 1))});
      if (part.size() == text.size()) return all;
      text.remove_prefix(part.size() + 1);
    }
  }
};

/// What the program says on the channel when it serves: "ready 4,5", with the sockets among those that it has taken over.
inline std::string ready_message(const std::vector<int>& taken) { return "ready " + list_of(taken); }

/// The sockets that were taken over; nothing when it is no such message.
inline std::optional<std::vector<int>> read_ready_message(std::string_view message) {
  constexpr std::string_view beginning = "ready ";
  if (!message.starts_with(beginning)) return std::nullopt;
  return read_list(message.substr(beginning.size()));
}

}  // namespace waiter

#endif
