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
/// ready, and of the sockets on which that server listens. It comes in the environment, as `WAITER_UPGRADE=3:4,5`.
struct heritage {
  static constexpr const char* variable = "WAITER_UPGRADE";

  int channel = -1;
  std::vector<int> listeners{};

  std::string text() const { return std::to_string(channel) + ":" + list_of(listeners); }

  static std::optional<heritage> read(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos) return std::nullopt;
    const auto channel = read_list(text.substr(0, colon));
    auto listeners = read_list(text.substr(colon + 1));
    if (!channel || channel->size() != 1 || !listeners) return std::nullopt;
    return heritage{channel->front(), std::move(*listeners)};
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
