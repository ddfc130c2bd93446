// What a program can and can't write: rows A8 and A9, and what run() leaves in the process that called it.
#include <waiter/waiter.hpp>

#include "support/catch.hpp"

#include <array>
#include <csignal>
#include <cstring>

namespace {

template <class ForkPolicy>
struct idler : waiter::basic_waiter<idler<ForkPolicy>, ForkPolicy, waiter::plain> {
  using base = waiter::basic_waiter<idler<ForkPolicy>, ForkPolicy, waiter::plain>;
  using base::base;
  int begun = 0;
  int closed = 0;
  void on_server_begin() { ++begun; }
  void on_listen_ok() { this->break_main_loop(); }
  void on_server_close() { ++closed; }
  void on_process(typename base::client_type&) {}
};

template <class Handler>
concept has_prefork = requires { Handler{{.fork = {.prefork = 8}}}; };
template <class Handler>
concept has_maxfork = requires { Handler{{.fork = {.maxfork = 8}}}; };
template <class Handler>
concept has_port = requires { Handler{{.port = 8080}}; };
template <class Handler>
concept has_port_70000 = requires { Handler{{.port = 70000}}; };
template <class Handler>
concept has_port_minus_1 = requires { Handler{{.port = -1}}; };

using every_policy = std::tuple<waiter::nofork, waiter::forking, waiter::prefork>;

constexpr int added_by_libc = 0x04000000;  // SA_RESTORER, in every disposition that the C library has set

std::array<struct sigaction, 64> dispositions() {
  std::array<struct sigaction, 64> result{};
  for (int number = 1; number < 64; ++number) ::sigaction(number, nullptr, &result[static_cast<std::size_t>(number)]);
  return result;
}

}  // namespace

TEST_CASE("A8: prefork and nofork together can't be written", "[A8]") {
  STATIC_REQUIRE(has_prefork<idler<waiter::prefork>>);
  STATIC_REQUIRE(has_maxfork<idler<waiter::prefork>>);
  STATIC_REQUIRE(has_maxfork<idler<waiter::forking>>);
  STATIC_REQUIRE_FALSE(has_prefork<idler<waiter::forking>>);
  STATIC_REQUIRE_FALSE(has_prefork<idler<waiter::nofork>>);
  STATIC_REQUIRE_FALSE(has_maxfork<idler<waiter::nofork>>);
}

TEMPLATE_LIST_TEST_CASE("A9: a port that is none does not compile", "[A9]", every_policy) {
  STATIC_REQUIRE(has_port<idler<TestType>>);
  STATIC_REQUIRE_FALSE(has_port_70000<idler<TestType>>);
  STATIC_REQUIRE_FALSE(has_port_minus_1<idler<TestType>>);
}

TEMPLATE_LIST_TEST_CASE("after run() the signal dispositions and the mask of before stand again", "[B5]", every_policy) {
  struct sigaction ours {};
  ours.sa_handler = [](int) {};
  ours.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &ours, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t mask_before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  const auto before = dispositions();
  idler<TestType> server{{}};
  CHECK(server.run() == 0);
  const auto after = dispositions();
  sigset_t mask_after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  for (int number = 1; number < 64; ++number) {
    CAPTURE(number);
    const auto& was = before[static_cast<std::size_t>(number)];
    const auto& is = after[static_cast<std::size_t>(number)];
    CHECK(was.sa_handler == is.sa_handler);
    CHECK((was.sa_flags & ~added_by_libc) == (is.sa_flags & ~added_by_libc));
    CHECK(::sigismember(&mask_before, number) == ::sigismember(&mask_after, number));
  }
  ::signal(SIGTERM, SIG_DFL);
}

TEMPLATE_LIST_TEST_CASE("a second run() works", "[B5]", every_policy) {
  idler<TestType> server{{}};
  CHECK(server.run() == 0);
  CHECK(server.run() == 0);
  CHECK(server.begun == 2);
  CHECK(server.closed == 2);
}
