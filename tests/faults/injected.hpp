// What a test and the library that it preloads into a server (injected.cpp) share: a page of memory in a file.
#ifndef WAITER_TESTS_FAULTS_INJECTED_HPP
#define WAITER_TESTS_FAULTS_INJECTED_HPP

#include <atomic>

namespace faults {

/// The `errno` with which each call fails from now on; 0: it does what it always does. And how often it was called.
struct injected {
  struct call {
    std::atomic<int> error;
    std::atomic<long> calls;
  };
  call accept, fork, log;
};

/// Names the file to the preloaded library.
inline constexpr const char* injected_variable = "WAITER_TEST_INJECTED";

}  // namespace faults

#endif
