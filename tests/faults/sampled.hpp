// What a test and the sampler of a server share: a page of memory in a file.
#ifndef WAITER_TESTS_FAULTS_SAMPLED_HPP
#define WAITER_TESTS_FAULTS_SAMPLED_HPP

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <stdexcept>
#include <string>

namespace faults {

/// How many kids were ready, at the least, while that was asked for; and how often it was looked at.
struct sampled {
  std::atomic<int> asked_for{0};
  std::atomic<int> least{INT_MAX};
  std::atomic<long> samples{0};
  std::atomic<int> sampler{0};  ///< its process
};

/// The page in this file, for as long as the process lives.
inline sampled& sampled_in(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(sampled)) != 0) throw std::runtime_error{"no page in " + path};
  void* const memory = ::mmap(nullptr, sizeof(sampled), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) throw std::runtime_error{"no page in " + path};
  return *static_cast<sampled*>(memory);
}

/// Calls `ready()` a thousand times a second, without end.
template <class Ready>
[[noreturn]] void keep_sampling(const std::string& path, Ready&& ready) {
  auto& page = sampled_in(path);
  page.sampler = ::getpid();
  timespec next{};
  ::clock_gettime(CLOCK_MONOTONIC, &next);
  for (;;) {
    if (page.asked_for) {
      page.least = std::min(page.least.load(), ready());
      ++page.samples;
    }
    next.tv_nsec += 1'000'000;
    if (next.tv_nsec >= 1'000'000'000) next.tv_nsec -= 1'000'000'000, ++next.tv_sec;
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
  }
}

}  // namespace faults

#endif
