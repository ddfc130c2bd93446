#include <waiter/server/successor.hpp>

#include "support/catch.hpp"
#include "support/process_info.hpp"

#include <waiter/server/manager_talk.hpp>

#include <boost/asio/ip/address.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using waiter::instant;
using waiter::successor;

/// What it asks of a server.
struct some_host {
  some_host() {
    waiter::error_code error;
    door.listener().open({boost::asio::ip::make_address("127.0.0.1"), 0}, 10, waiter::never, error);
    REQUIRE_FALSE(error);
  }

  waiter::doorway& doorway() { return door; }
  waiter::manager_talk& manager() { return talk; }
  const waiter::system::signal_mask* held_signals() const { return nullptr; }
  template <class... Parts>
  void log(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    lines.push_back(text.str());
  }
  template <waiter::hook Hook>
  void call(std::string_view reason) {
    CHECK(Hook == waiter::hook::on_upgrade_failed);
    failures.emplace_back(reason);
  }
  void give_way(const std::vector<int>& sockets) { left.push_back(sockets); }
  void stay() { ++stayed; }

  /// Lets it work until `done`.
  template <class Done>
  void work_until(successor& one, Done&& done) {
    CHECK(support::eventually([&] {
      one.work(*this);
      return done();
    }));
  }

  waiter::doorway door;
  waiter::manager_talk talk;
  std::vector<std::string> lines, failures;
  std::vector<std::vector<int>> left;
  int stayed = 0;
};

// Programs, each a copy of this process that plays one. The heritage is the last of the variables.
using waiter::system::program_start;

pid_t refuses(const program_start&, waiter::error_code& error) noexcept {
  error = make_error_code(boost::system::errc::permission_denied);
  return -1;
}
template <class Life>
pid_t born(const program_start& what, Life&& life) {
  const pid_t one = ::fork();
  if (one != 0) return one;
  const auto& variable = what.variables.back();
  const auto left = waiter::heritage::read(std::string_view(variable).substr(variable.find('=') + 1));
  if (!left || !variable.starts_with("WAITER_UPGRADE=")) ::_exit(99);
  const waiter::system::upgrade_channel channel{waiter::system::descriptor(left->channel)};
  ::_exit(life(*left, channel));
}
pid_t ends(const program_start& what, waiter::error_code&) noexcept {
  return born(what, [](auto&, auto&) { return 7; });
}
pid_t sleeps(const program_start& what, waiter::error_code&) noexcept {
  return born(what, [](auto&, auto&) { return ::pause(); });
}
/// Says what means nothing, is ready, waits for an answer, and ends with whether it may serve.
pid_t serves(const program_start& what, waiter::error_code&) noexcept {
  return born(what, [](auto& left, auto& channel) {
    channel.say("hello");
    channel.say("ready nothing");
    channel.say(waiter::ready_message({left.sockets.front().descriptor}));
    for (;;) {
      const auto answer = channel.hear();
      if (answer.what == answer.word) return answer.text == "serve" ? 0 : 1;
      ::usleep(1000);
    }
  });
}

bool no_child_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

}  // namespace

TEST_CASE("nothing is started before it is asked for, and then at the next look") {
  some_host host;
  successor one(30s);
  CHECK_FALSE(one.busy());
  CHECK(one.work(host) == instant::max());
  one.request(&refuses, {.program = "/some/program"}, std::nullopt);
  CHECK(one.busy());
  one.work(host);
  CHECK(host.failures == std::vector<std::string>{"/some/program: Permission denied"});
  CHECK(host.lines.back() == "upgrade failed: /some/program: Permission denied");
  CHECK(host.stayed == 1);
  CHECK_FALSE(one.busy());
}

TEST_CASE("who is ready is told to serve, and the server gives way with the sockets that were taken over") {
  some_host host;
  successor one(30s);
  one.request(&serves, {.program = "/some/program"}, std::nullopt);
  host.work_until(one, [&] { return !host.left.empty(); });
  REQUIRE(host.left.size() == 1);
  CHECK(host.left.front() == std::vector<int>{host.door.listener().get()});
  CHECK(one.descriptor() == -1);
  CHECK(host.failures.empty());
  // It is looked after for as long as this server lives, and its end is told.
  CHECK(one.busy());
  host.work_until(one, [&] { return !one.busy(); });
  CHECK(host.lines.back().find("exited with status 0") != std::string::npos);
  CHECK(no_child_left());
  one.stop(host);
  CHECK(host.failures.empty());
}

TEST_CASE("who ends is reaped, and the reason is how") {
  some_host host;
  successor one(30s);
  one.request(&ends, {}, std::nullopt);
  host.work_until(one, [&] { return !host.failures.empty(); });
  CHECK(host.failures.front().find("exited with status 7 before it was ready") != std::string::npos);
  CHECK(no_child_left());
  CHECK(host.left.empty());
}

TEST_CASE("who is late is killed and reaped before the failure is told") {
  some_host host;
  successor one(50ms);
  one.request(&sleeps, {}, std::nullopt);
  const auto began = std::chrono::steady_clock::now();
  CHECK(one.work(host) > began);
  CHECK(one.descriptor() >= 0);
  host.work_until(one, [&] { return !host.failures.empty(); });
  CHECK(std::chrono::steady_clock::now() - began >= 50ms);
  CHECK(host.failures.front() == "it was not ready in time");
  CHECK(no_child_left());
  CHECK(one.descriptor() == -1);
}

TEST_CASE("a server that stops leaves no program behind that was to succeed it") {
  some_host host;
  successor one(waiter::never);
  one.request(&sleeps, {}, std::nullopt);
  one.work(host);
  one.stop(host);
  CHECK(host.failures == std::vector<std::string>{"the server stops"});
  CHECK(no_child_left());
  one.stop(host);
  CHECK(host.failures.size() == 1);
}

TEST_CASE("an obstacle is told, and starts nothing") {
  some_host host;
  successor one(30s);
  one.request(&sleeps, {}, "there is an obstacle");
  one.work(host);
  CHECK(host.failures == std::vector<std::string>{"there is an obstacle"});
  CHECK(host.stayed == 0);
  CHECK(no_child_left());
}

TEST_CASE("in a kid it is nobody's affair") {
  some_host host;
  successor one(30s);
  one.request(&sleeps, {}, std::nullopt);
  one.work(host);
  const pid_t kid = ::fork();
  if (kid == 0) {
    one.forget();
    ::_exit(one.busy() || one.descriptor() >= 0 ? 1 : 0);
  }
  int status = -1;
  REQUIRE(::waitpid(kid, &status, 0) == kid);
  CHECK(status == 0);
  one.stop(host);
}
