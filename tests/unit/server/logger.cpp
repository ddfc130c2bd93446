#include <waiter/server/logger.hpp>

#include "support/catch.hpp"

#include <unistd.h>

#include <chrono>
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct unprintable {
  friend std::ostream& operator<<(std::ostream&, const unprintable&) { throw std::runtime_error("cannot be printed"); }
};

}  // namespace

TEST_CASE("the parts of a line are put together and given to the logger") {
  std::vector<std::string> lines;
  const std::function<void(std::string_view)> keep = [&lines](std::string_view line) { lines.emplace_back(line); };
  waiter::log_parts(keep, "kid ", 42, " has ", 1.5, " s");
  waiter::log_parts(keep);
  CHECK(lines == std::vector<std::string>{"kid 42 has 1.5 s", ""});
}

TEST_CASE("a log that fails costs its line and nothing else") {
  int calls = 0;
  const std::function<void(std::string_view)> fails = [&calls](std::string_view) {
    ++calls;
    throw std::runtime_error("disk full");
  };
  waiter::log_parts(fails, "lost");
  CHECK(calls == 1);
  waiter::log_parts(fails, unprintable());
  CHECK(calls == 1);
}

TEST_CASE("without a logger a line goes to standard error, with the process in front") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int before = ::dup(2);
  ::dup2(ends[1], 2);
  waiter::log_parts({}, "all is ", "well");
  ::dup2(before, 2);
  ::close(before);
  ::close(ends[1]);
  char text[200] = "";
  const auto size = ::read(ends[0], text, sizeof text - 1);
  ::close(ends[0]);
  REQUIRE(size > 0);
  const std::string line(text);
  CHECK(line.ends_with("[" + std::to_string(::getpid()) + "] all is well\n"));
}

TEST_CASE("what lasts is said once a second") {
  using clock = std::chrono::steady_clock;
  waiter::once_a_second trouble;
  const auto began = clock::now();
  CHECK(trouble.due());
  const auto said = clock::now();
  int more = 0;
  while (!trouble.due()) ++more;
  CHECK(more > 0);
  CHECK(clock::now() - began >= std::chrono::seconds(1));
  CHECK(clock::now() - said < std::chrono::seconds(20));
}

TEST_CASE("where several notice the same, they all are asked") {
  struct shared {
    int asked = 0;
    bool first_this_second() { return ++asked == 1; }
  } all;
  struct alone {
  } nobody;
  waiter::once_a_second trouble;
  CHECK(trouble.due(all));
  CHECK_FALSE(trouble.due(all));
  CHECK(trouble.due(nobody));
  CHECK_FALSE(trouble.due(nobody));
}
