#include <waiter/process/heritage.hpp>

#include "support/catch.hpp"

#include <random>
#include <string>
#include <vector>

using waiter::heritage;

TEST_CASE("what is written is read") {
  for (const heritage& one : {heritage{3, {}}, {3, {{4}}}, {3, {{4}, {5, "http"}, {1000, ""}}}, {0, {{4, "a,b=c d"}}}}) {
    INFO(one.text());
    CHECK(heritage::read(one.text()) == one);
  }
  CHECK(heritage{3, {{4}, {5, "http"}}}.text() == "3:4:5=http");
  for (const auto& taken : {std::vector<int>{}, {4}, {4, 5, 1000}}) CHECK(waiter::read_ready_message(waiter::ready_message(taken)) == taken);
  CHECK(waiter::ready_message({4, 5}) == "ready 4,5");
}

TEST_CASE("what is no heritage is none") {
  for (const std::string text : {"", ":", ":4", "3:", "3,4:5", "-3:4", "3:-4", "3:4:", "3::4", "3:4,5", "3 :4", "3: 4", "3:4;5", "x:4", "3:x", "3=a:4",
                                 "99999999999:4", "3:99999999999"}) {
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
  const std::string letters = "0123456789,:=- r";
  int read_well = 0;
  for (int round = 0; round < 100000; ++round) {
    std::string text;
    for (auto length = random() % 8; length != 0; --length) text += letters[random() % letters.size()];
    const auto read = heritage::read(text);
    if (!read) continue;
    ++read_well;
    const auto again = heritage::read(read->text());
    REQUIRE(again);
    CHECK(*again == *read);
  }
  CHECK(read_well > 100);
}
