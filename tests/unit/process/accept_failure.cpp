#include "support/catch.hpp"
#include <waiter/process/accept_failure.hpp>

#include <cerrno>

using waiter::accept_advice;
using waiter::after_accept_failed;

TEST_CASE("one connection's fault is no reason to wait") {
  for (const int reason : {EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM})
    CHECK(after_accept_failed(reason) == accept_advice::again);
}

TEST_CASE("what has run out comes back later, so the socket is left alone for a while") {
  for (const int reason : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) CHECK(after_accept_failed(reason) == accept_advice::pause);
}

TEST_CASE("a reason that nobody knows does not spin") { CHECK(after_accept_failed(9999) == accept_advice::pause); }

TEST_CASE("a socket that is none is given up") {
  CHECK(after_accept_failed(EINVAL) == accept_advice::mend);
  for (const int reason : {EBADF, ENOTSOCK}) CHECK(after_accept_failed(reason) == accept_advice::give_up);
}
