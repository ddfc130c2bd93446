#include <waiter/system/service_manager.hpp>

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using waiter::system::descriptor;
using waiter::system::service_manager;
using waiter::system::unix_address;
using namespace std::chrono_literals;

/// A manager's end of it, at a path or an abstract name.
struct manager {
  descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  int passed = -1;

  explicit manager(const std::string& where) {
    const auto address = unix_address::of(where);
    REQUIRE(::bind(socket.get(), address->data(), address->size()) == 0);
    const timeval longest{10, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  }
  ~manager() { ::close(passed); }
  manager(const manager&) = delete;
  manager& operator=(const manager&) = delete;

  std::string hears(int flags = 0) {
    char text[512];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec part{text, sizeof text};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = ::recvmsg(socket.get(), &message, flags | MSG_CMSG_CLOEXEC);
    if (const auto* head = CMSG_FIRSTHDR(&message); size > 0 && head != nullptr) std::memcpy(&passed, CMSG_DATA(head), sizeof passed);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }
};

struct environment {
  explicit environment(const std::vector<std::pair<const char*, std::string>>& all) {
    for (const auto& [name, value] : all) ::setenv(name, value.c_str(), 1);
  }
  ~environment() {
    for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
};

bool anything_left() { return std::getenv("NOTIFY_SOCKET") || std::getenv("WATCHDOG_USEC") || std::getenv("WATCHDOG_PID"); }

}  // namespace

TEST_CASE("each piece of news arrives in the words of sd_notify, by path and by abstract name") {
  const support::temp_directory directory;
  const std::string where = GENERATE(true, false) ? (directory / "notify").string() : "@waiter manager " + std::to_string(::getpid());
  manager theirs(where);
  const environment set({{"NOTIFY_SOCKET", where}});
  const auto ours = service_manager::take();
  REQUIRE(ours.listens());
  CHECK(ours.variables() == std::vector<std::string>{"NOTIFY_SOCKET=" + where});
  CHECK_FALSE(anything_left());
  CHECK_FALSE(ours.ready());
  CHECK(theirs.hears() == "READY=1");
  CHECK_FALSE(ours.stopping());
  CHECK(theirs.hears() == "STOPPING=1");
  CHECK_FALSE(ours.watchdog());
  CHECK(theirs.hears() == "WATCHDOG=1");
  CHECK_FALSE(ours.status("1 of 2"));
  CHECK(theirs.hears() == "STATUS=1 of 2");
  CHECK_FALSE(ours.main_pid(4711));
  CHECK(theirs.hears() == "MAINPID=4711");
}

TEST_CASE("a reload has its stamp of the monotonic clock, in microseconds") {
  const support::temp_directory directory;
  manager theirs((directory / "notify").string());
  const environment set({{"NOTIFY_SOCKET", (directory / "notify").string()}});
  const auto ours = service_manager::take();
  const auto now = [] { return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  const auto before = now();
  CHECK_FALSE(ours.reloading());
  const auto after = now();
  const std::string told = theirs.hears(), head = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(told.find(head) == 0);
  const auto stamp = std::stoll(told.substr(head.size()));
  CHECK(stamp >= before);
  CHECK(stamp <= after);
}

TEST_CASE("a descriptor is stored as a copy of its own, under its name") {
  const support::temp_directory directory;
  manager theirs((directory / "notify").string());
  const environment set({{"NOTIFY_SOCKET", (directory / "notify").string()}});
  const auto ours = service_manager::take();
  const descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(ours.store(null.get(), "void"));
  CHECK(theirs.hears() == "FDSTORE=1\nFDNAME=void");
  struct stat one {}, other {};
  REQUIRE(::fstat(null.get(), &one) == 0);
  REQUIRE(::fstat(theirs.passed, &other) == 0);
  CHECK(theirs.passed != null.get());
  CHECK(one.st_rdev == other.st_rdev);
  CHECK(ours.store(-1, "nothing") == boost::system::error_code());
}

TEST_CASE("without a manager nothing is said, and no descriptor is opened") {
  const environment set(std::vector<std::pair<const char*, std::string>>{});
  const auto ours = service_manager::take();
  CHECK_FALSE(ours.listens());
  CHECK(ours.variables().empty());
  CHECK_FALSE(ours.ready());
}

TEST_CASE("an address that is none of a UNIX socket is nobody's, and is not passed on either") {
  for (const auto& where : {std::string(), std::string("relative"), std::string("vsock:2:1"), "/" + std::string(200, 'x')}) {
    CAPTURE(where);
    const environment set({{"NOTIFY_SOCKET", where}});
    CHECK_FALSE(service_manager::take().listens());
    CHECK_FALSE(anything_left());
  }
}

TEST_CASE("a manager that is away is an error, and does not hold anybody up") {
  const std::string absent = "/absent/notify";
  const environment set(std::vector<std::pair<const char*, std::string>>{{"NOTIFY_SOCKET", absent}});
  const auto ours = service_manager::take();
  CHECK(ours.ready() == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("the watchdog is this process's, or for whoever was started, or another's") {
  const auto time = [](const std::vector<std::pair<const char*, std::string>>& variables) {
    const environment set(variables);
    const auto ours = service_manager::take();
    CHECK_FALSE(anything_left());
    return ours.watchdog_time();
  };
  CHECK(time({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", std::to_string(::getpid())}}) == 3s);
  CHECK(time({{"WATCHDOG_USEC", "3000000"}}) == 3s);
  CHECK_FALSE(time({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "1"}}));
  CHECK_FALSE(time({{"WATCHDOG_USEC", "soon"}}));
  CHECK_FALSE(time({{"WATCHDOG_USEC", "0"}}));
  CHECK_FALSE(time({}));
}

TEST_CASE("who has left says nothing any more") {
  const support::temp_directory directory;
  manager theirs((directory / "notify").string());
  const environment set({{"NOTIFY_SOCKET", (directory / "notify").string()}});
  auto ours = service_manager::take();
  ours.leave();
  CHECK_FALSE(ours.listens());
  CHECK_FALSE(ours.ready());
  CHECK(theirs.hears(MSG_DONTWAIT).empty());
}
