#include <waiter/server/logger.hpp>

#include "support/catch.hpp"

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
