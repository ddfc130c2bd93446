#include <waiter/process/heritage.hpp>

#include "support/catch.hpp"

#include <random>
#include <string>
#include <vector>

using waiter::heritage;

TEST_CASE("what is written is read") {
  for (const auto& listeners : {std::vector<int>{}, {4}, {4, 5, 1000}}) {
    const auto read = heritage::read(heritage{3, listeners}.text());
    REQUIRE(read);
    CHECK(read->channel == 3);
    CHECK(read->listeners == listeners);
    CHECK(waiter::read_ready_message(waiter::ready_message(listeners)) == listeners);
  }
  CHECK(heritage{3, {4, 5}}.text() == "3:4,5");
  CHECK(waiter::ready_message({4, 5}) == "ready 4,5");
}

TEST_CASE("what is no heritage is none") {
  for (const std::string text : {"", ":", "3", ":4", "3,4:5", "-3:4", "3:-4", "3:4,", "3:,4", "3:4,,5", "3 :4", "3: 4", "3:4;5", "x:4", "3:x",
                                 "3:4:5", "99999999999:4", "3:99999999999"}) {
    INFO(text);
    CHECK_FALSE(heritage::read(text));
  }
}

TEST_CASE("what is no word of being ready is none") {
  for (const std::string text : {"", "ready", "ready x", "ready 4,", "READY 4", " ready 4", "ready  4", "ready -1"}) {
    INFO(text);
    CHECK_FALSE(waiter::read_ready_message(text));
  }
}

TEST_CASE("any text is either refused, or means what it says") {
  std::mt19937 random(1);
  const std::string letters = "0123456789,:- r";
  int read_well = 0;
  for (int round = 0; round < 100000; ++round) {
    std::string text;
    for (auto length = random() % 8; length != 0; --length) text += letters[random() % letters.size()];
    const auto read = heritage::read(text);
    if (!read) continue;
    ++read_well;
    const auto again = heritage::read(read->text());
    REQUIRE(again);
    CHECK(again->channel == read->channel);
    CHECK(again->listeners == read->listeners);
  }
  CHECK(read_well > 100);
}
