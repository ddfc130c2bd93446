// Real clients over TCP: blocking, and never without a deadline.
#ifndef WAITER_TESTS_SUPPORT_CLIENT_HPP
#define WAITER_TESTS_SUPPORT_CLIENT_HPP

#include "support/deadline.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace support {

enum class outcome {
  answered,       ///< text, then the end of the stream
  end_of_stream,  ///< the end at once
  refused,        ///< nobody listens there
  reset,          ///< ECONNRESET, with or without text before
  timed_out,      ///< the deadline came first
};

struct reply {
  std::string text{};
  outcome how{outcome::answered};
  friend bool operator==(const reply&, const reply&) = default;
};

std::ostream& operator<<(std::ostream& out, outcome how);
std::ostream& operator<<(std::ostream& out, const reply& got);

/// What a client reads that is served properly.
inline reply answer(std::string text) { return {std::move(text), outcome::answered}; }

class client {
 public:
  /// Connects; `connected()` says whether that worked.
  explicit client(std::uint16_t port, const std::string& address = "127.0.0.1");
  /// The same over a UNIX socket: a path, or with '@' in front an abstract name.
  static client at_socket(const std::string& path);
  ~client();
  client(client&& other) noexcept;
  client& operator=(client&&) = delete;

  bool connected() const { return connected_; }
  int descriptor() const { return socket_; }

  /// Sends all; false when the other side is gone.
  bool send(std::string_view text);
  /// Up to and with the line feed; what there is when the stream ends or the time is over.
  std::string read_line(milliseconds within = patience);
  /// All until the stream ends.
  reply read_all(milliseconds within = patience);
  /// Sends and reads all.
  reply ask(std::string_view text, milliseconds within = patience);

  /// The other side has said its end, and still takes what comes: sends `text`, and sees whether the kernel answers with a reset. That a
  /// reset came shows nowhere else: what had arrived before it can be read all the same.
  bool is_heard_out(std::string_view text);

  void half_close();
  /// Closes with a reset in place of a FIN.
  void reset();
  void close();

 private:
  client() = default;
  /// One piece appended to `unread_`; otherwise why there is none.
  std::optional<outcome> read_some(const deadline& end);

  int socket_{-1};
  bool connected_{false};
  std::string unread_;
};

/// A listening socket on a port that the kernel chose, to occupy it.
class occupied_port {
 public:
  explicit occupied_port(const std::string& address = "0.0.0.0");
  ~occupied_port();
  occupied_port(const occupied_port&) = delete;
  occupied_port& operator=(const occupied_port&) = delete;
  std::uint16_t number() const { return number_; }

 private:
  int socket_{-1};
  std::uint16_t number_{0};
};

}  // namespace support

#endif
