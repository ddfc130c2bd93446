#ifndef TESTS_LOAD_WIRE_HPP
#define TESTS_LOAD_WIRE_HPP

#include "settings.hpp"

#include <memory>
#include <string_view>

namespace load {

/// What one step on a socket that does not wait came to.
enum class step { done, wants_read, wants_write, end, reset, failed };

/// The bytes of a connection, in clear. Owns the socket.
class wire {
 public:
  explicit wire(int fd) : fd_(fd) {}
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  virtual ~wire();

  /// What comes before the first byte of ours.
  virtual step greet() { return step::done; }
  /// Sends from the front of `rest`, and takes off what was sent; done when nothing is left.
  virtual step send(std::string_view& rest);
  /// What was received is valid until the next call, of any wire.
  virtual step receive(std::string_view& into);
  /// No more is going to be sent.
  virtual void say_end();
  /// Its greeting was a shorter one, because both sides remembered an earlier one.
  virtual bool resumed() const { return false; }

  int fd() const { return fd_; }

 private:
  int fd_;
};

std::unique_ptr<wire> make_wire(const settings& asked, int fd);

}  // namespace load

#endif
