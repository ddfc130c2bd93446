#ifndef WAITER_SYSTEM_DESCRIPTOR_HPP
#define WAITER_SYSTEM_DESCRIPTOR_HPP

#include <unistd.h>

#include <utility>

namespace waiter::system {

/// Owns a file descriptor.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
  descriptor& operator=(descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~descriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// Closes what it held. An interrupted close(2) has closed all the same on Linux, so it is not repeated.
  void reset(int fd = -1) noexcept {
    if (const int before = std::exchange(fd_, fd); before >= 0) ::close(before);
  }

 private:
  int fd_ = -1;
};

}  // namespace waiter::system

#endif
