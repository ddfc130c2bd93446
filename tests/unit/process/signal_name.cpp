#include <waiter/process/signal_name.hpp>

#include "support/catch.hpp"

#include <csignal>
#include <optional>
#include <string>
#include <string_view>

using waiter::signal_name;
using waiter::signal_number;

TEST_CASE("a signal is known by its name, with SIG or without, and by its number") {
  CHECK(signal_number("USR1") == SIGUSR1);
  CHECK(signal_number("SIGUSR1") == SIGUSR1);
  CHECK(signal_number(std::to_string(SIGUSR1)) == SIGUSR1);
  CHECK(signal_number("TERM") == SIGTERM);
  CHECK(signal_number("SIGKILL") == SIGKILL);
  CHECK(signal_number("1") == 1);
  CHECK(signal_number(std::to_string(SIGRTMIN)) == SIGRTMIN);
  CHECK(signal_number(std::to_string(SIGRTMAX)) == SIGRTMAX);
}

TEST_CASE("what is no signal has no number") {
  const std::string_view text = GENERATE("", "SIG", "usr1", "sigusr1", "Usr1", "USR", "USR11", "SIGSIGUSR1", "NOSUCH", "0", "-1",
                                         "999", "10x", "x10", " 10", "10 ", "+10", "1e1", "99999999999999999999");
  CAPTURE(text);
  CHECK(signal_number(text) == std::nullopt);
}

TEST_CASE("a name with a zero inside is no name") { CHECK(signal_number({"USR1\0", 5}) == std::nullopt); }

TEST_CASE("every name leads to its number, and every number to one of its names") {
  for (const auto& each : waiter::named_signals) {
    CAPTURE(each.name);
    CHECK(signal_number(each.name) == each.number);
    CHECK(signal_number(each.name.substr(3)) == each.number);
    CHECK(signal_number(signal_name(each.number)) == each.number);
  }
}

TEST_CASE("of two names, the usual one is given") {
  CHECK(signal_name(SIGABRT) == "SIGABRT");
  CHECK(signal_name(SIGIO) == "SIGIO");
}

TEST_CASE("a number without a name has none") {
  CHECK(signal_name(0).empty());
  CHECK(signal_name(-1).empty());
  CHECK(signal_name(SIGRTMIN).empty());
  CHECK(signal_name(12345).empty());
}

TEST_CASE("the last number that is one of a signal is understood, and the first beyond is not") {
  CHECK(signal_number(std::to_string(NSIG - 1)) == NSIG - 1);
  CHECK_FALSE(signal_number(std::to_string(NSIG)));
}
