// What a program can and can't write (rows A8 and A9), and what run() does in the process that calls it: its defaults where the
// handler has no hook, and how it leaves that process.
// clang-format off: the library uses the name WAITER_SKIP while it is read, and gives it back undefined.
#include <waiter/waiter.hpp>
#include "support/catch.hpp"
// clang-format on

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <tuple>

namespace {

template <class ForkPolicy>
struct idler : waiter::basic_waiter<idler<ForkPolicy>, ForkPolicy, waiter::plain> {
  using base = waiter::basic_waiter<idler<ForkPolicy>, ForkPolicy, waiter::plain>;
  using base::base;
  int begun = 0;
  int closed = 0;
  void on_server_begin() { ++begun; }
  void on_listen_ok() { this->break_main_loop(); }
  void on_server_close() { ++closed; }
  void on_process(typename base::client_type&) {}
};

/// Throws where nobody handles it, and is stopped already.
struct thrower : waiter::basic_waiter<thrower, waiter::nofork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_server_begin() { break_main_loop(); }
  void on_listen_ok() { throw std::runtime_error{"the kettle is dry"}; }
  void on_process(client_type&) {}
};

struct talker : waiter::basic_waiter<talker, waiter::nofork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_listen_ok() {
    log("said ", 1, " thing");
    log_debug("whispered ", 2, " things");
    break_main_loop();
  }
  void on_process(client_type&) {}
};

/// Its kids try to signal each other, and leave; takes the pid of a dead kid alone.
struct meddler : waiter::basic_waiter<meddler, waiter::prefork, waiter::plain> {
  using basic_waiter::basic_waiter;
  int heard = -1;  // the end of a pipe to write to
  int died = 0;
  void on_child_start() {
    static_cast<void>(propagate_signal("USR1"));
    break_main_loop();
  }
  void on_sig_usr1() { note(); }
  void on_child_sig_usr1() { note(); }
  void on_sig_child(pid_t) {
    if (++died == 3) break_main_loop();
  }
  void on_process(client_type&) {}
  void note() const { REQUIRE(::write(heard, "!", 1) == 1); }
};

/// What the process writes to its standard error while this lives.
class standard_error {
 public:
  standard_error() : before_{::dup(2)}, file_{std::tmpfile()} { ::dup2(::fileno(file_), 2); }
  ~standard_error() {
    ::dup2(before_, 2);
    ::close(before_);
    std::fclose(file_);
  }
  standard_error(const standard_error&) = delete;
  standard_error& operator=(const standard_error&) = delete;
  std::string text() const {
    std::array<char, 4096> buffer;
    const auto size = ::pread(::fileno(file_), buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
  }

 private:
  int before_;
  std::FILE* file_;
};

template <class Handler>
concept has_prefork = requires {
  Handler{{.fork = {.prefork = 8}}};
};
template <class Handler>
concept has_maxfork = requires {
  Handler{{.fork = {.maxfork = 8}}};
};
template <class Handler>
concept has_port = requires {
  Handler{{.port = 8080}};
};
template <class Handler>
concept has_port_70000 = requires {
  Handler{{.port = 70000}};
};
template <class Handler>
concept has_port_minus_1 = requires {
  Handler{{.port = -1}};
};

using every_policy = std::tuple<waiter::nofork, waiter::forking, waiter::prefork>;

constexpr int added_by_libc = 0x04000000;  // SA_RESTORER, in every disposition that the C library has set

std::array<struct sigaction, 64> dispositions() {
  std::array<struct sigaction, 64> result{};
  for (int number = 1; number < 64; ++number) ::sigaction(number, nullptr, &result[static_cast<std::size_t>(number)]);
  return result;
}

}  // namespace

TEST_CASE("A8: prefork and nofork together can't be written", "[A8]") {
  STATIC_REQUIRE(has_prefork<idler<waiter::prefork>>);
  STATIC_REQUIRE(has_maxfork<idler<waiter::prefork>>);
  STATIC_REQUIRE(has_maxfork<idler<waiter::forking>>);
  STATIC_REQUIRE_FALSE(has_prefork<idler<waiter::forking>>);
  STATIC_REQUIRE_FALSE(has_prefork<idler<waiter::nofork>>);
  STATIC_REQUIRE_FALSE(has_maxfork<idler<waiter::nofork>>);
}

TEMPLATE_LIST_TEST_CASE("A9: a port that is none does not compile", "[A9]", every_policy) {
  STATIC_REQUIRE(has_port<idler<TestType>>);
  STATIC_REQUIRE_FALSE(has_port_70000<idler<TestType>>);
  STATIC_REQUIRE_FALSE(has_port_minus_1<idler<TestType>>);
}

TEMPLATE_LIST_TEST_CASE("after run() the signal dispositions and the mask of before stand again", "[B5]", every_policy) {
  struct sigaction ours {};
  ours.sa_handler = [](int) {};
  ours.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &ours, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t mask_before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  const auto before = dispositions();
  idler<TestType> server{{}};
  CHECK(server.run() == 0);
  const auto after = dispositions();
  sigset_t mask_after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  for (int number = 1; number < 64; ++number) {
    CAPTURE(number);
    const auto& was = before[static_cast<std::size_t>(number)];
    const auto& is = after[static_cast<std::size_t>(number)];
    CHECK(was.sa_handler == is.sa_handler);
    CHECK((was.sa_flags & ~added_by_libc) == (is.sa_flags & ~added_by_libc));
    CHECK(::sigismember(&mask_before, number) == ::sigismember(&mask_after, number));
  }
  ::signal(SIGTERM, SIG_DFL);
}

TEMPLATE_LIST_TEST_CASE("a second run() works", "[B5]", every_policy) {
  idler<TestType> server{{}};
  CHECK(server.run() == 0);
  CHECK(server.run() == 0);
  CHECK(server.begun == 2);
  CHECK(server.closed == 2);
}

TEST_CASE("K2: an exception that nobody handles is logged, and the server goes on to its end", "[K2]") {
  std::string said;
  int result = -1;
  {
    const standard_error caught;
    thrower server{{}};
    result = server.run();
    said = caught.text();
  }
  CHECK(result == 0);
  CHECK(said.find("the kettle is dry") != std::string::npos);
}

TEST_CASE("log always speaks, log_debug only with debug") {
  const bool debug = GENERATE(false, true);
  CAPTURE(debug);
  std::string said;
  {
    const standard_error caught;
    talker server{{.debug = debug}};
    server.run();
    said = caught.text();
  }
  CHECK(said.find("said 1 thing") != std::string::npos);
  CHECK((said.find("whispered 2 things") != std::string::npos) == debug);
}

TEST_CASE("S9: propagate_signal is nothing in a kid", "[S9]") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_NONBLOCK) == 0);
  {
    const standard_error quiet;  // the parent tells of kids that leave at once
    meddler server{{.fork = {.prefork = 2, .maxfork = 2}}};
    server.heard = pipe[1];
    CHECK(server.run() == 0);
    CHECK(server.died >= 3);
  }
  char heard = 0;
  CHECK(::read(pipe[0], &heard, 1) == -1);
  ::close(pipe[0]);
  ::close(pipe[1]);
}
