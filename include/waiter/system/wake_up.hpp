#ifndef WAITER_SYSTEM_WAKE_UP_HPP
#define WAITER_SYSTEM_WAKE_UP_HPP

#include <waiter/error.hpp>
#include <waiter/system/descriptor.hpp>

#include <fcntl.h>

#include <cerrno>

namespace waiter::system {

/// A channel on which kids wake their parent. It carries no meaning: what was written is thrown away unread, so a kid that writes
/// garbage or fills it can do no more than wake the parent.
class wake_up {
 public:
  void open(error_code& error) noexcept {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return error.assign(errno, boost::system::system_category());
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }

  /// In a kid, which only rings.
  void only_ring() noexcept { read_.reset(); }

  /// Never blocks; a full pipe has woken the parent already.
  void ring() const noexcept {
    const char one = 0;
    [[maybe_unused]] const auto written = ::write(write_.get(), &one, 1);
  }

  /// For a signal handler, which writes to it itself.
  int ringing_end() const noexcept { return write_.get(); }

  /// What the parent waits on.
  int get() const noexcept { return read_.get(); }

  /// Empties it, but no longer than a kid that writes without end would like.
  void clear() const noexcept {
    char scratch[4096];
    [[maybe_unused]] const auto taken = ::read(read_.get(), scratch, sizeof scratch);
  }

  void close() noexcept {
    read_.reset();
    write_.reset();
  }

 private:
  descriptor read_;
  descriptor write_;
};

}  // namespace waiter::system

#endif
