// What a server under a hail of signals tells the test, and the test the server: one file, mapped by all of them.
#ifndef WAITER_TESTS_FAULTS_SIGNAL_BOARD_HPP
#define WAITER_TESTS_FAULTS_SIGNAL_BOARD_HPP

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <system_error>

namespace faults {

enum kind : std::size_t { hup, usr1, usr2, kinds };

/// What a hook may find that must never be.
enum trouble : std::uint32_t {
  nested = 1,           ///< a signal hook inside another hook that does not wait for its client
  masked = 2,           ///< a hook under another mask than the program's own, as in a handler
  kid_failed = 4,       ///< a kid that did not end with 0
  not_in_books = 8,     ///< a kid that was never told of by on_fork_ok
};

/// A process of the server. The sender writes a number into `command` and then sends the signal; the hook tells which number it saw.
struct listener_cell {
  std::atomic<std::int32_t> pid;
  std::atomic<std::uint32_t> client_port;  ///< whose kid it is, with a process for each client
  std::atomic<std::uint32_t> served;
  std::array<std::atomic<std::uint32_t>, kinds> command;
  std::array<std::atomic<std::uint32_t>, kinds> seen;
  std::array<std::atomic<std::uint32_t>, kinds> ran;
};

struct signal_board {
  static constexpr std::size_t places = 1 << 16;

  std::atomic<std::uint32_t> troubles;
  std::atomic<std::uint32_t> own_handlers;  ///< how often handlers of the program's own ran
  std::atomic<std::uint32_t> kids;          ///< how many kids on_fork_ok has told of
  listener_cell parent;
  std::array<listener_cell, places> kid;

  static signal_board& open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(signal_board)) != 0) throw std::system_error{errno, std::generic_category(), path};
    void* const memory = ::mmap(nullptr, sizeof(signal_board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (memory == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
    return *static_cast<signal_board*>(memory);
  }
};

/// Waits until a word is no longer `old`, at most that long; futex(2), because the processes do not share one address space.
inline void wait_for_change(std::atomic<std::uint32_t>& word, std::uint32_t old, long milliseconds) {
  const timespec limit{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, old, &limit, nullptr, 0);
}
inline void tell_change(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, 1 << 20, nullptr, nullptr, 0);
}

}  // namespace faults

#endif
