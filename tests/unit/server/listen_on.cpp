#include <waiter/server/listen_on.hpp>

#include "support/catch.hpp"

#include <waiter/fork/nofork.hpp>
#include <waiter/options.hpp>
#include <waiter/transport/plain.hpp>

#include <string>

namespace {

using options = waiter::basic_options<waiter::nofork, waiter::plain>;

std::string complaint(const options& settings) {
  waiter::system::listener listener;
  const auto wrong = waiter::listen_on(listener, settings);
  CHECK(static_cast<bool>(listener) != wrong.has_value());
  return wrong.value_or("");
}

}  // namespace

TEST_CASE("a port of the kernel's choice is listened on") {
  CHECK(complaint({.address = "127.0.0.1"}) == "");
  waiter::system::listener listener;
  REQUIRE_FALSE(waiter::listen_on(listener, options{.address = "127.0.0.1"}));
  CHECK(listener.local().port() != 0);
  CHECK(listener.local().address().to_string() == "127.0.0.1");
}

TEST_CASE("what is wrong is told in one sentence") {
  CHECK(complaint({.address = "localhost"}).find("'localhost' is no address") == 0);
  CHECK(complaint({.address = "1.2.3"}).find("'1.2.3' is no address") == 0);
  CHECK(complaint({.address = ""}).find("'' is no address") == 0);
  CHECK(complaint({.backlog = -1}).find("0 <= backlog <= somaxconn does not hold: backlog is -1") == 0);
  CHECK(complaint({.backlog = 2147483647}).find("0 <= backlog <= somaxconn does not hold: backlog is 2147483647") == 0);
}

TEST_CASE("a port that another program has is told with its address") {
  waiter::system::listener first;
  REQUIRE_FALSE(waiter::listen_on(first, options{.address = "127.0.0.1"}));
  const auto port = first.local().port();
  const auto told = complaint({.port = port, .address = "127.0.0.1"});
  CHECK(told.find("cannot listen on 127.0.0.1:" + std::to_string(port)) == 0);
  CHECK(told.find("another program does") != told.npos);
}
