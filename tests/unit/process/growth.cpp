#include <waiter/process/growth.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>

using namespace std::chrono_literals;
using waiter::growth;
using waiter::instant;

namespace {

constexpr waiter::pool_limits eight_of_32{.prefork = 8, .maxfork = 32};

}  // namespace

TEST_CASE("a pool wants its base, whatever the hour, and waits for nothing") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 0, .kids = 0}, at(0ms)) == 8);
  CHECK(pool.target({.busy = 0, .kids = 8}, at(1ms)) == 8);
  CHECK(pool.target({.busy = 6, .kids = 8}, at(2ms)) == 8);
  CHECK(pool.patience_ends() == instant::max());
}

TEST_CASE("when nobody is idle, the pool grows at once") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 8, .kids = 8}, at(0ms)) == 16);
}

TEST_CASE("a batch has one target until it is complete") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 8, .kids = 8}, at(0ms)) == 16);
  for (int kids = 9; kids < 16; ++kids) CHECK(pool.target({.busy = 8, .kids = kids}, at(0ms)) == 16);
  CHECK(pool.target({.busy = 8, .kids = 16}, at(0ms)) == 8);
  CHECK(pool.target({.busy = 16, .kids = 16}, at(1ms)) == 24);
}

TEST_CASE("a batch is dropped when its clients are gone") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 8, .kids = 8}, at(0ms)) == 16);
  CHECK(pool.target({.busy = 0, .kids = 9}, at(1ms)) == 8);
  CHECK(pool.target({.busy = 2, .kids = 9}, at(2ms)) == 8);
}

TEST_CASE("scarce idle kids make the pool grow after 5 ms") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 7, .kids = 8}, at(0ms)) == 8);
  CHECK(pool.patience_ends() == at(5ms));
  CHECK(pool.target({.busy = 7, .kids = 8}, at(4ms)) == 8);
  CHECK(pool.patience_ends() == at(5ms));
  CHECK(pool.target({.busy = 7, .kids = 8}, at(5ms)) == 16);
  CHECK(pool.patience_ends() == instant::max());
}

TEST_CASE("fleeting clients do not make the pool grow") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 7, .kids = 8}, at(0ms)) == 8);
  CHECK(pool.target({.busy = 6, .kids = 8}, at(3ms)) == 8);
  CHECK(pool.patience_ends() == instant::max());
  CHECK(pool.target({.busy = 7, .kids = 8}, at(6ms)) == 8);
  CHECK(pool.patience_ends() == at(11ms));
}

TEST_CASE("the patience is cut short by the last idle kid's client") {
  growth pool(eight_of_32);
  CHECK(pool.target({.busy = 7, .kids = 8}, at(0ms)) == 8);
  CHECK(pool.target({.busy = 8, .kids = 8}, at(1ms)) == 16);
}

TEST_CASE("each batch needs its own 5 ms") {
  growth pool({.prefork = 1, .maxfork = 8});
  CHECK(pool.target({.busy = 1, .kids = 1}, at(0ms)) == 2);
  CHECK(pool.target({.busy = 1, .kids = 2}, at(0ms)) == 1);
  CHECK(pool.patience_ends() == at(5ms));
  CHECK(pool.target({.busy = 1, .kids = 2}, at(5ms)) == 3);
  CHECK(pool.target({.busy = 1, .kids = 3}, at(5ms)) == 1);
  CHECK(pool.patience_ends() == instant::max());
}

TEST_CASE("a pool at its cap waits for nothing") {
  growth pool({.prefork = 2, .maxfork = 6});
  CHECK(pool.target({.busy = 5, .kids = 6}, at(0ms)) == 2);
  CHECK(pool.target({.busy = 6, .kids = 6}, at(1ms)) == 2);
  CHECK(pool.patience_ends() == instant::max());
}

TEST_CASE("two kids of at most six: two, four, six") {
  growth pool({.prefork = 2, .maxfork = 6});
  CHECK(pool.target({.busy = 2, .kids = 2}, at(0ms)) == 4);
  CHECK(pool.target({.busy = 4, .kids = 4}, at(9ms)) == 6);
  CHECK(pool.target({.busy = 6, .kids = 6}, at(9ms)) == 2);
}
