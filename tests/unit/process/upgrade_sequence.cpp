#include <waiter/process/upgrade_sequence.hpp>

#include "support/catch.hpp"
#include "unit/process/moment.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

using namespace std::chrono_literals;
using waiter::instant;
using waiter::upgrade_sequence;
using verb = upgrade_sequence::action::verb;

namespace {

constexpr auto within = 30s;

struct dialogue {
  void expect(verb kind, instant now, const std::string& reason = "") {
    const auto next = upgrade.next(now);
    CHECK(static_cast<int>(next.kind) == static_cast<int>(kind));
    CHECK(next.reason == reason);
  }
  void expect_wait(instant until, instant now) {
    const auto next = upgrade.next(now);
    CHECK(static_cast<int>(next.kind) == static_cast<int>(verb::wait));
    CHECK(next.until == until);
  }
  void expect_rest(instant now) {
    CHECK_FALSE(upgrade.busy());
    expect_wait(instant::max(), now);
  }
  void begin() {
    upgrade.request();
    expect(verb::start, at(0s));
    upgrade.started(at(0s));
    expect_wait(at(within), at(0s));
  }

  upgrade_sequence upgrade{within};
};

}  // namespace

TEST_CASE_METHOD(dialogue, "nobody asks, nothing happens") {
  expect_rest(at(0s));
  upgrade.ready();
  upgrade.deaf(at(1s));
  upgrade.failed("what nobody waits for");
  upgrade.stop();
  expect_rest(at(9999s));
}

TEST_CASE_METHOD(dialogue, "the new program is ready: this server gives way, once, and takes no more requests") {
  begin();
  upgrade.ready();
  CHECK(upgrade.busy());
  expect(verb::give_way, at(2s));
  expect_rest(at(2s));
  upgrade.failed("exited with status 0");
  upgrade.stop();
  expect_rest(at(3s));
  upgrade.request();
  expect(verb::refuse, at(4s), "an upgrade is under way already");
  expect_rest(at(9999s));
}

TEST_CASE_METHOD(dialogue, "a program that cannot be started is told of, and the next request is as good as the first") {
  for (int time = 0; time < 2; ++time) {
    upgrade.request();
    expect(verb::start, at(0s));
    upgrade.failed("no such file");
    expect(verb::fail, at(0s), "no such file");
    expect_rest(at(0s));
  }
  begin();
}

TEST_CASE_METHOD(dialogue, "a program that ends before it is ready failed; nothing is left to be killed") {
  begin();
  upgrade.failed("exited with status 1");
  expect(verb::fail, at(1s), "exited with status 1");
  expect_rest(at(1s));
}

TEST_CASE_METHOD(dialogue, "who says that it is ready and is gone before anybody looked is no successor") {
  begin();
  upgrade.ready();
  upgrade.failed("was killed by SIGKILL");
  expect(verb::fail, at(1s), "was killed by SIGKILL");
}

TEST_CASE_METHOD(dialogue, "a program that is late is killed; its end is waited for, and does not hide the reason") {
  begin();
  expect_wait(at(within), at(within - 1ms));
  expect(verb::kill, at(within));
  upgrade.ready();
  expect_wait(at(within + 2s), at(within));
  upgrade.failed("was killed by SIGKILL");
  expect(verb::fail, at(within + 10ms), "it was not ready in time");
  expect_rest(at(within + 10ms));
}

TEST_CASE_METHOD(dialogue, "a program that cannot even be killed is abandoned") {
  begin();
  expect(verb::kill, at(within));
  expect_wait(at(within + 2s), at(within));
  expect(verb::fail, at(within + 2s), "it was not ready in time");
}

TEST_CASE_METHOD(dialogue, "a program that has closed its channel gets a second in which to end, and to give the reason") {
  begin();
  upgrade.deaf(at(5s));
  expect_wait(at(6s), at(5s));
  upgrade.deaf(at(5500ms));
  expect_wait(at(6s), at(5500ms));

  SECTION("it ends") {
    upgrade.failed("exited with status 3");
    expect(verb::fail, at(5501ms), "exited with status 3");
  }
  SECTION("it runs on, and is killed") {
    expect(verb::kill, at(6s));
    upgrade.failed("was killed by SIGKILL");
    expect(verb::fail, at(6s), "it closed its channel without being ready");
    begin();
  }
}

TEST_CASE_METHOD(dialogue, "the second is none when less is left") {
  begin();
  upgrade.deaf(at(within - 10ms));
  expect_wait(at(within), at(within - 10ms));
}

TEST_CASE_METHOD(dialogue, "a request during another one is refused, and does not disturb it") {
  begin();
  upgrade.request();
  upgrade.request();
  CHECK(upgrade.busy());
  expect(verb::refuse, at(1s), "an upgrade is under way already");
  expect_wait(at(within), at(1s));
  upgrade.ready();
  expect(verb::give_way, at(2s));
}

TEST_CASE_METHOD(dialogue, "where there is an obstacle nothing is started") {
  upgrade.request("as process 1 it cannot");
  expect(verb::refuse, at(0s), "as process 1 it cannot");
  expect_rest(at(0s));
}

TEST_CASE_METHOD(dialogue, "a stop ends the upgrade, wherever it stands") {
  SECTION("requested") {
    upgrade.request();
    upgrade.stop();
    expect(verb::fail, at(0s), "the server stops");
  }
  SECTION("started") {
    begin();
    upgrade.stop();
    expect(verb::kill, at(1s));
    upgrade.stop();
    upgrade.failed("was killed by SIGKILL");
    expect(verb::fail, at(1s), "the server stops");
  }
  SECTION("ready, but nobody has seen it") {
    begin();
    upgrade.ready();
    upgrade.stop();
    expect(verb::kill, at(1s));
    upgrade.failed("was killed by SIGKILL");
    expect(verb::fail, at(1s), "the server stops");
  }
  expect_rest(at(1s));
}

TEST_CASE("without a limit it is waited for") {
  upgrade_sequence upgrade(waiter::never);
  upgrade.request();
  CHECK(static_cast<int>(upgrade.next(at(0s)).kind) == static_cast<int>(verb::start));
  upgrade.started(at(0s));
  CHECK(upgrade.next(at(99999h)).until == instant::max());
  CHECK(static_cast<int>(upgrade.next(at(99999h)).kind) == static_cast<int>(verb::wait));
}

TEST_CASE("in random runs one program lives at a time, each request has one answer, and who waits has no reason to wait for ever") {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    const auto chance = [&random](unsigned percent) { return random() % 100 < percent; };
    upgrade_sequence upgrade(within);
    instant now = at(0s);
    bool lives = false, killed = false, gone = false;
    int open = 0;  // requests without an answer; refused ones share one
    bool refusal_due = false;
    instant born{};

    for (int step = 0; step < 200; ++step) {
      now += std::chrono::milliseconds(random() % 4000);
      if (chance(20)) {
        if (open != 0 || gone) refusal_due = true;
        else ++open;
        upgrade.request();
      }
      if (lives && chance(10)) upgrade.ready();
      if (lives && chance(5)) upgrade.deaf(now);
      if (!gone && chance(1)) upgrade.stop();
      if (lives && !gone && (killed || chance(8))) lives = false, killed = false, upgrade.failed("ended");
      for (bool asks = true; asks;) {
        const auto next = upgrade.next(now);
        INFO("seed " << seed << ", step " << step << ", action " << static_cast<int>(next.kind));
        switch (next.kind) {
          case verb::start:
            REQUIRE((!lives && !gone && open == 1));
            if (chance(20)) {
              upgrade.failed("not started");
            } else {
              lives = true, killed = false, born = now;
              upgrade.started(now);
            }
            break;
          case verb::kill:
            REQUIRE((lives && !killed && !gone));
            killed = true;
            break;
          case verb::give_way:
            REQUIRE((lives && !killed && !gone && open == 1));
            gone = true, open = 0;
            break;
          case verb::fail:
            REQUIRE((!gone && open == 1 && !next.reason.empty()));
            // Only one that was killed may be left alive, and that for two seconds.
            REQUIRE((!lives || killed));
            lives = killed = false, open = 0;
            break;
          case verb::refuse:
            REQUIRE((refusal_due && !next.reason.empty()));
            refusal_due = false;
            break;
          case verb::wait:
            asks = false;
            REQUIRE_FALSE(refusal_due);
            REQUIRE(next.until > now);
            REQUIRE(upgrade.busy() == (open != 0));
            REQUIRE((next.until == instant::max()) == (open == 0));
            if (open != 0) REQUIRE((lives && next.until <= born + within + upgrade_sequence::last_wait + 4s));
            break;
        }
      }
    }
  }
}
