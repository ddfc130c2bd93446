// What the fork policies say of their options, before there is a socket. What they do is tested with real clients: tests/process,
// tests/conformance.
#include <waiter/fork/forking.hpp>
#include <waiter/fork/nofork.hpp>
#include <waiter/fork/prefork.hpp>

#include "support/catch.hpp"

#include <waiter/contract/fork_policy.hpp>

#include <string>

static_assert(waiter::fork_policy<waiter::nofork> && waiter::fork_policy<waiter::forking> && waiter::fork_policy<waiter::prefork>);

namespace {

template <class Policy>
std::string complaint(const typename Policy::options& settings) {
  Policy policy;
  const auto wrong = policy.prepare(settings);
  CHECK(policy.count() == waiter::census{});
  CHECK(policy.kid_pids().empty());
  return wrong.value_or("");
}

}  // namespace

TEST_CASE("options left at their defaults, and the odd ones that mean something, are not complained of") {
  CHECK(complaint<waiter::nofork>({}) == "");
  CHECK(complaint<waiter::forking>({}) == "");
  CHECK(complaint<waiter::forking>({.maxfork = -1}) == "");
  CHECK(complaint<waiter::prefork>({}) == "");
  CHECK(complaint<waiter::prefork>({.prefork = -3}) == "");
  CHECK(complaint<waiter::prefork>({.prefork = 8, .maxfork = 3}) == "");
  CHECK(complaint<waiter::prefork>({.maxfork = -1}) == "");
}

TEST_CASE("a policy can be prepared again") {
  waiter::prefork pool;
  for (int time = 0; time < 3; ++time) CHECK_FALSE(pool.prepare({.prefork = 2}));
  waiter::forking kids;
  for (int time = 0; time < 3; ++time) CHECK_FALSE(kids.prepare({}));
}
