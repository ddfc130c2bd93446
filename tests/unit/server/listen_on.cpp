#include <waiter/server/listen_on.hpp>

#include "support/catch.hpp"
#include "support/process_info.hpp"
#include "support/temp_directory.hpp"

#include <waiter/fork/nofork.hpp>
#include <waiter/options.hpp>
#include <waiter/transport/plain.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

using options = waiter::basic_options<waiter::nofork, waiter::plain>;

std::string complaint(const options& settings) {
  waiter::doorway door;
  return waiter::listen_on(door, settings).value_or("");
}

/// Where it listens, told by the doorway; or what is wrong.
std::string places(const options& settings) {
  waiter::doorway door;
  std::string all = waiter::listen_on(door, settings).value_or("");
  if (all.empty()) door.for_each([&all](const waiter::system::listener& one) { all += (all.empty() ? "" : " ") + one.name(); });
  return all;
}

}  // namespace

TEST_CASE("a port of the kernel's choice is listened on") {
  waiter::doorway door;
  REQUIRE_FALSE(waiter::listen_on(door, options{.address = "127.0.0.1"}));
  CHECK(door.port() != 0);
  CHECK(door.size() == 1);
  CHECK_FALSE(door.never_waits());
  CHECK(door.listener().local().address().to_string() == "127.0.0.1");
}

TEST_CASE("what is wrong is told in one sentence") {
  CHECK(complaint({.address = "localhost"}).find("'localhost' is no address") == 0);
  CHECK(complaint({.address = "1.2.3"}).find("'1.2.3' is no address") == 0);
  CHECK(complaint({.address = ""}).find("'' is no address") == 0);
  CHECK(complaint({.backlog = -1}).find("0 <= backlog <= somaxconn does not hold: backlog is -1") == 0);
  CHECK(complaint({.backlog = 2147483647}).find("0 <= backlog <= somaxconn does not hold: backlog is 2147483647") == 0);
  CHECK(complaint({.listen = {"80"}}).find("'80' is no place to listen: write \"127.0.0.1:80\"") == 0);
  CHECK(complaint({.listen = {"localhost:80"}}).find("'localhost' is no address") == 0);
  CHECK(complaint({.port = 80, .listen = {"127.0.0.1:0"}}).find("listen says where to listen, so port and address have no say") == 0);
  CHECK(complaint({.address = "::", .listen = {"127.0.0.1:0"}}).find("listen says where to listen, so port and address have no say") == 0);
  CHECK(complaint({.listen = {"unix:/absent/x.sock"}}) ==
        "cannot listen on unix:/absent/x.sock: No such file or directory; its directory has to be there");
  CHECK(complaint({.listen = {"unix:" + std::string(108, 'x')}}).find("File name too long") != std::string::npos);
  CHECK(complaint({.listen = {"inherited"}}).find("there is no inherited socket: none was passed to this process") == 0);
  CHECK(complaint({.listen = {"fd:http"}}).find("there is no inherited socket: none was passed to this process") == 0);
}

TEST_CASE("a port that another program has is told with its address") {
  waiter::doorway first;
  REQUIRE_FALSE(waiter::listen_on(first, options{.address = "127.0.0.1"}));
  const auto port = first.port();
  const auto told = complaint({.port = port, .address = "127.0.0.1"});
  CHECK(told.find("cannot listen on 127.0.0.1:" + std::to_string(port)) == 0);
  CHECK(told.find("another program does") != told.npos);
}

TEST_CASE("several places are listened on, none of them by a wait of its own") {
  const support::temp_directory directory;
  const auto path = (directory / "x.sock").string();
  waiter::doorway door;
  REQUIRE_FALSE(waiter::listen_on(door, options{.listen = {"unix:" + path, "127.0.0.1:0"}, .unix_mode = 0600}));
  CHECK(door.size() == 2);
  CHECK(door.never_waits());
  CHECK(door.at(0).name() == "unix:" + path);
  CHECK(door.at(1).name() == "127.0.0.1:" + std::to_string(door.port()));
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) == static_cast<std::filesystem::perms>(0600));
  door.finish();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("one place of several that cannot be had leaves nothing behind") {
  const support::temp_directory directory;
  const auto path = (directory / "x.sock").string();
  waiter::doorway first;
  REQUIRE_FALSE(waiter::listen_on(first, options{.address = "127.0.0.1"}));
  const auto taken = "127.0.0.1:" + std::to_string(first.port());
  const auto before = support::descriptors_of(::getpid());
  CHECK(places({.listen = {"unix:" + path, taken}}).find("cannot listen on " + taken) == 0);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(support::descriptors_of(::getpid()) == before);
}

TEST_CASE("a file that is no socket is left alone") {
  const support::temp_directory directory;
  const auto path = (directory / "x").string();
  std::ofstream(path) << "precious";
  CHECK(complaint({.listen = {"unix:" + path}}) == "cannot listen on unix:" + path + ": File exists; it is no socket, and is left alone");
  CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("the queue may be as long as the system allows, and no longer") {
  const int longest = waiter::system::longest_backlog();
  CHECK(complaint({.address = "127.0.0.1", .backlog = longest}) == "");
  const auto wrong = complaint({.address = "127.0.0.1", .backlog = longest + 1});
  CHECK(wrong.find("0 <= backlog <= somaxconn does not hold: backlog is " + std::to_string(longest + 1)) == 0);
}
