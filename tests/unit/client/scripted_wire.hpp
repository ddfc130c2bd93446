#ifndef WAITER_TESTS_UNIT_CLIENT_SCRIPTED_WIRE_HPP
#define WAITER_TESTS_UNIT_CLIENT_SCRIPTED_WIRE_HPP

#include <waiter/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>

/// The other end of a client, in memory: it says what it is told to, piece by piece, then breaks or ends; and it takes what it is
/// told to take.
struct scripted_wire {
  std::deque<std::string> says;
  waiter::error_code then = boost::asio::error::eof;
  std::size_t at_once = std::string::npos;
  std::size_t takes = std::string::npos;

  std::string sent;
  std::size_t sent_before_last_read = 0;
  int reads = 0;
  int writes = 0;

  /// Says the text in pieces of one size.
  void say(const std::string& text, std::size_t piece) {
    for (std::size_t at = 0; at < text.size(); at += piece) says.push_back(text.substr(at, piece));
  }

  std::size_t give(void* data, std::size_t size, waiter::error_code& error) {
    ++reads;
    sent_before_last_read = sent.size();
    error.clear();
    if (says.empty()) {
      error = then;
      return 0;
    }
    auto& piece = says.front();
    const auto count = std::min(size, piece.size());
    std::memcpy(data, piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) says.pop_front();
    return count;
  }

  std::size_t take(const void* data, std::size_t size, waiter::error_code& error) {
    ++writes;
    error.clear();
    const auto count = std::min({size, at_once, takes - sent.size()});
    if (count == 0) error = boost::asio::error::broken_pipe;
    sent.append(static_cast<const char*>(data), count);
    return count;
  }
};

#endif
