#ifndef TESTS_LOAD_ACCOUNT_HPP
#define TESTS_LOAD_ACCOUNT_HPP

#include "outcome.hpp"
#include "settings.hpp"

#include <array>
#include <cstdint>
#include <ostream>
#include <vector>

namespace load {

/// What became of all clients, and how long it took.
class account {
 public:
  /// A client has ended. `began` is when it was to begin.
  void book(outcome how, instant began, instant now);
  /// The first byte of an answer to a client that is not a slow one, or to one that is.
  void first_byte(bool slow, instant began, instant now) { (slow ? slow_first_ : first_).push_back(micros(now - began)); }
  /// One answer of several on a connection.
  void request(instant began, instant now) { requests_.push_back(micros(now - began)); }
  void bytes(std::size_t sent, std::size_t received) { sent_ += sent, received_ += received; }
  void resumed() { ++resumed_; }

  /// A silence that lasted to the end counts too.
  void note_pause(instant now);

  long of(outcome how) const { return counts_[how]; }

  /// One line a number.
  void print(std::ostream& to, double seconds);

 private:
  using sample = std::vector<std::uint32_t>;
  static std::uint32_t micros(clock::duration time) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  }

  std::array<long, outcome_names.size()> counts_{};
  sample whole_{}, first_{}, slow_first_{}, requests_{};
  std::size_t sent_ = 0, received_ = 0;
  long resumed_ = 0;
  instant last_answer_ = clock::now();
  clock::duration longest_pause_{};
};

}  // namespace load

#endif
