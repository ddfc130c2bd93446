#include <waiter/client/deadline.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <limits>

namespace {

using waiter::client_deadline;
using waiter::milliseconds;
using waiter::never;
using waiter::instant;

constexpr instant noon{std::chrono::hours(12)};
constexpr milliseconds none{0};
constexpr milliseconds past_all_sums{std::numeric_limits<milliseconds::rep>::min()};
constexpr milliseconds almost_never = never - milliseconds(1);
constexpr milliseconds centuries = std::chrono::floor<milliseconds>(instant::max().time_since_epoch());

}  // namespace

TEST_CASE("an operation ends by its own time or by the client's, whichever comes first") {
  struct row {
    const char* what;
    milliseconds io_timeout, client_time, begins_after;
    instant ends;
  };
  const row table[] = {
      {"neither: it may take for ever", never, never, none, instant::max()},
      {"only its own time", milliseconds(60), never, none, noon + milliseconds(60)},
      {"its own time counts from its start", milliseconds(60), never, milliseconds(500), noon + milliseconds(560)},
      {"only the client's time", never, milliseconds(90), none, noon + milliseconds(90)},
      {"the client's time counts from when it was set", never, milliseconds(90), milliseconds(50), noon + milliseconds(90)},
      {"its own time is shorter", milliseconds(60), milliseconds(90), none, noon + milliseconds(60)},
      {"the client's time is shorter", milliseconds(60), milliseconds(90), milliseconds(50), noon + milliseconds(90)},
      {"both at once", milliseconds(40), milliseconds(90), milliseconds(50), noon + milliseconds(90)},
      {"the client's time is over", milliseconds(60), milliseconds(90), milliseconds(500), noon + milliseconds(90)},
      {"the client gets no time", never, none, none, noon},
      {"the client gets less than no time", never, milliseconds(-7), milliseconds(1), noon},
      {"the client gets the least there is", never, past_all_sums, none, noon},
      {"an operation gets no time", none, never, milliseconds(5), noon + milliseconds(5)},
      {"an operation gets less than no time", milliseconds(-7), never, none, noon},
      {"an operation gets the least there is", past_all_sums, never, none, noon},
      {"both are as long as a number can be short of never", almost_never, almost_never, none, instant::max()},
      {"more centuries than the clock has left", centuries, centuries, none, instant::max()},
      {"just what the clock has left", centuries - std::chrono::hours(12) - milliseconds(1), never, none,
       instant(centuries - milliseconds(1))},
  };
  for (const auto& row : table) {
    INFO(row.what);
    client_deadline deadline(row.io_timeout);
    deadline.expires_after(row.client_time, noon);
    CHECK(deadline.operation_ends(noon + row.begins_after) == row.ends);
  }
}

TEST_CASE("no clock reading overflows a deadline") {
  const instant readings[] = {instant::min(), instant::min() + std::chrono::nanoseconds(1), instant{},
                              noon,           instant::max() - std::chrono::nanoseconds(1), instant::max()};
  const milliseconds times[] = {past_all_sums, none,          milliseconds(1), centuries - milliseconds(1),
                                centuries,     centuries * 2, almost_never,    never};
  for (const auto now : readings) {
    for (const auto time : times) {
      CAPTURE(now.time_since_epoch().count(), time.count());
      client_deadline deadline(time);
      CHECK(deadline.operation_ends(now) >= now);
      CHECK((time != never || deadline.operation_ends(now) == instant::max()));
      deadline.expires_after(time, now);
      CHECK(deadline.operation_ends(now) >= now);
    }
  }
}

TEST_CASE("a new deadline has no end until one is set") {
  client_deadline deadline;
  CHECK(deadline.io_timeout() == never);
  CHECK_FALSE(deadline.has_expiry());

  deadline.set_io_timeout(milliseconds(250));
  CHECK(deadline.io_timeout() == milliseconds(250));
  CHECK_FALSE(deadline.has_expiry());
}

TEST_CASE("a client's time can be set again, and lifted in two ways") {
  client_deadline deadline;
  deadline.expires_after(milliseconds(10), noon);
  CHECK(deadline.has_expiry());
  deadline.expires_after(milliseconds(30), noon + milliseconds(5));
  CHECK(deadline.operation_ends(noon) == noon + milliseconds(35));

  deadline.expires_after(never, noon);
  CHECK_FALSE(deadline.has_expiry());
  CHECK(deadline == client_deadline());

  deadline.expires_after(none, noon);
  CHECK(deadline.has_expiry());
  deadline.expires_never();
  CHECK(deadline == client_deadline());
}

TEST_CASE("a client's time can be brought nearer, never put off") {
  client_deadline deadline;
  deadline.expires_within(milliseconds(30), noon);
  CHECK(deadline.operation_ends(noon) == noon + milliseconds(30));
  deadline.expires_within(milliseconds(40), noon);
  CHECK(deadline.operation_ends(noon) == noon + milliseconds(30));
  deadline.expires_within(never, noon);
  CHECK(deadline.operation_ends(noon) == noon + milliseconds(30));
  deadline.expires_within(none, noon);
  CHECK(deadline.operation_ends(noon) == noon);
}

TEST_CASE("a deadline can be reckoned by the compiler") {
  constexpr auto ends = [] {
    client_deadline deadline(milliseconds(60));
    deadline.expires_after(milliseconds(40), noon);
    return deadline.operation_ends(noon);
  }();
  STATIC_REQUIRE(ends == noon + milliseconds(40));
}
