#include <waiter/system/fork.hpp>

#include "support/catch.hpp"

#include <sys/resource.h>

#include <future>
#include <thread>

// Forks that are made stand in tests/process.

TEST_CASE("threads are counted, and while another one lives no fork is made") {
  CHECK(waiter::system::thread_count() == 1);
  CHECK_FALSE(waiter::system::threads_alive());

  std::promise<void> end;
  std::thread other([end = end.get_future()]() mutable { end.wait(); });
  CHECK(waiter::system::thread_count() == 2);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);  // that there is no descriptor left hides no thread
  CHECK(waiter::system::thread_count() == 2);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(waiter::system::threads_alive());
  waiter::error_code error;
  const pid_t pid = waiter::system::fork_process(false, error);
  if (pid == 0) ::_exit(1);  // it was made after all
  CHECK(pid == -1);
  CHECK(error == waiter::error::threads_alive);

  end.set_value();
  other.join();
  CHECK_FALSE(waiter::system::threads_alive());
  CHECK(waiter::system::thread_count() == 1);
}

TEST_CASE("a thread that was joined is not taken for one that lives, though it leaves a moment later") {
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::thread([] {}).join();
    refused += waiter::system::threads_alive();
  }
  CHECK(refused == 0);
}
