#include <waiter/process/deadline_queue.hpp>

#include "moment.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

namespace {

struct owner {
  std::size_t queue_place = waiter::deadline_queue<owner>::nowhere;
};
using queue = waiter::deadline_queue<owner>;
constexpr auto no_time = waiter::instant::max();

}  // namespace

TEST_CASE("an empty queue is never due") {
  queue empty;
  CHECK(empty.empty());
  CHECK(empty.first() == no_time);
  CHECK(empty.take_due(no_time) == nullptr);
}

TEST_CASE("the first is whoever is due first, and is given when its time has come") {
  queue all;
  owner a, b, c;
  all.book(a, at(waiter::milliseconds(30)));
  all.book(b, at(waiter::milliseconds(10)));
  all.book(c, at(waiter::milliseconds(20)));
  CHECK(all.first() == at(waiter::milliseconds(10)));
  CHECK(all.take_due(at(waiter::milliseconds(9))) == nullptr);
  CHECK(all.take_due(at(waiter::milliseconds(25))) == &b);
  CHECK(all.take_due(at(waiter::milliseconds(25))) == &c);
  CHECK(all.take_due(at(waiter::milliseconds(25))) == nullptr);
  CHECK(all.due(a) == at(waiter::milliseconds(30)));
  CHECK(all.due(b) == no_time);
}

TEST_CASE("to book again moves, in both directions") {
  queue all;
  owner a, b;
  all.book(a, at(waiter::milliseconds(10)));
  all.book(b, at(waiter::milliseconds(20)));
  all.book(a, at(waiter::milliseconds(30)));
  CHECK(all.first() == at(waiter::milliseconds(20)));
  all.book(a, at(waiter::milliseconds(5)));
  CHECK(all.first() == at(waiter::milliseconds(5)));
  CHECK(all.size() == 2);
}

TEST_CASE("who leaves is not given, and may come again") {
  queue all;
  owner a, b;
  all.remove(a);
  all.book(a, at(waiter::milliseconds(10)));
  all.book(b, at(waiter::milliseconds(20)));
  all.remove(a);
  CHECK(all.take_due(at(waiter::milliseconds(15))) == nullptr);
  all.book(a, at(waiter::milliseconds(12)));
  CHECK(all.take_due(at(waiter::milliseconds(15))) == &a);
}

TEST_CASE("after any bookings and leavings the first is the least of all") {
  std::mt19937 random(1);
  for (int run = 0; run < 50; ++run) {
    queue all;
    std::vector<owner> owners(20);
    std::vector<waiter::instant> model(owners.size(), no_time);
    for (int step = 0; step < 400; ++step) {
      const auto which = random() % owners.size();
      if (random() % 4 == 0) {
        all.remove(owners[which]);
        model[which] = no_time;
      } else {
        const auto due = at(waiter::milliseconds(random() % 1000));
        all.book(owners[which], due);
        model[which] = due;
      }
      REQUIRE(all.first() == *std::min_element(model.begin(), model.end()));
      for (std::size_t i = 0; i < owners.size(); ++i) REQUIRE(all.due(owners[i]) == model[i]);
    }
  }
}
