#include <waiter/contract/handler.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using waiter::hook;
using waiter::hook_access;

namespace {

struct client_type {
  std::string sent;
};

struct silent {};

struct mixin {
  void on_server_begin() {}
};

/// A hook of every shape; each writes down that it ran.
class shapes : public mixin {
 public:
  std::vector<std::string> ran;

  static void on_listen_ok() noexcept {}
  void on_accept_ok(auto& client) const { client.sent += "hello"; }
  void on_close(client_type&) { ran.push_back("on_close"); }
  void on_close(int) { ran.push_back("on_close of a number"); }
  void on_fork_ok(long kid) { ran.push_back("on_fork_ok " + std::to_string(kid)); }
  std::function<void()> on_child_start = [this] { ran.push_back("on_child_start"); };

 private:
  friend hook_access;
  bool on_process(const client_type& client) { return client.sent.empty(); }
  void on_sig_child(pid_t kid) { ran.push_back("on_sig_child " + std::to_string(kid)); }
};

struct misdeclared {
  int on_close(client_type&) { return 1; }
  void on_accept_ok() {}
  int on_process(client_type&) { return 1; }
  int on_sig_child(pid_t) { return 1; }
  struct on_listen_ok {};

 private:
  void on_server_close() {}
};

struct base {};

struct stating : base {
  using implements = waiter::hooks<hook::on_process>;
  void on_process(client_type&) {}
};

struct sealed final {
  void on_close(client_type&) {}
};

template <hook Hook, class Handler>
constexpr bool bound = hook_access::bound<Hook, Handler, client_type>;

template <hook Hook, class Handler, class... Args>
using result = decltype(hook_access::call<Hook>(std::declval<Handler&>(), std::declval<Args>()...));

/// A handler whose one member is called like the hook, so that a row with a wrong name is seen.
template <hook Hook>
struct only;
#define ONLY(name)                                    \
  template <>                                         \
  struct only<hook::name> {                           \
    int name = 0;                                     \
    static constexpr std::string_view called = #name; \
  };
ONLY(on_server_begin)
ONLY(on_listen_ok)
ONLY(on_accept_error)
ONLY(on_accept_ok)
ONLY(on_maxforked)
ONLY(on_fork_ok)
ONLY(on_child_start)
ONLY(on_ssl_error)
ONLY(on_process)
ONLY(on_child_overtime)
ONLY(on_exception)
ONLY(on_close)
ONLY(on_child_exit)
ONLY(on_forking_idle)
ONLY(on_prefork_child_idle)
ONLY(on_sig_child)
ONLY(on_sig_hup)
ONLY(on_sig_usr1)
ONLY(on_sig_usr2)
ONLY(on_child_sig_hup)
ONLY(on_child_sig_usr1)
ONLY(on_child_sig_usr2)
ONLY(on_reload)
ONLY(on_upgrade_failed)
ONLY(on_server_close)
#undef ONLY

template <std::size_t... Index>
void each_is_found_by_its_name(std::index_sequence<Index...>) {
  const std::array called{only<static_cast<hook>(Index)>::called...};
  const std::array found{hook_access::names_in<only<static_cast<hook>(Index)>>()...};
  for (std::size_t index = 0; index < found.size(); ++index) CHECK(found[index].front() == called[index]);
}

}  // namespace

TEST_CASE("a member is found by its name, whatever it is") {
  STATIC_REQUIRE(hook_access::named<hook::on_server_begin, shapes>);
  STATIC_REQUIRE(hook_access::named<hook::on_listen_ok, shapes>);
  STATIC_REQUIRE(hook_access::named<hook::on_accept_ok, shapes>);
  STATIC_REQUIRE(hook_access::named<hook::on_close, shapes>);
  STATIC_REQUIRE(hook_access::named<hook::on_child_start, shapes>);
  STATIC_REQUIRE(hook_access::named<hook::on_process, shapes>);
  STATIC_REQUIRE(hook_access::named<hook::on_listen_ok, misdeclared>);
  STATIC_REQUIRE(hook_access::named<hook::on_server_close, misdeclared>);
  STATIC_REQUIRE_FALSE(hook_access::named<hook::on_server_close, shapes>);
  STATIC_REQUIRE_FALSE(hook_access::named<hook::on_process, silent>);
}

TEST_CASE("every hook is found by the name it has, in order of life") {
  each_is_found_by_its_name(std::make_index_sequence<hook_access::count>());
  CHECK(waiter::name_of(hook::on_process) == "on_process");
  CHECK(waiter::name_of(static_cast<hook>(hook_access::count)).empty());
}

TEST_CASE("the names a handler uses are listed in order of life") {
  constexpr auto names = hook_access::names_in<shapes>();
  CHECK(std::vector<std::string_view>(names.begin(), names.end()) ==
        std::vector<std::string_view>{"on_server_begin", "on_listen_ok", "on_accept_ok", "on_fork_ok", "on_child_start",
                                      "on_process", "on_close", "on_sig_child"});
  STATIC_REQUIRE(hook_access::names_in<silent>().empty());
}

TEST_CASE("a hook is callable with what it takes, and in private by a friend only") {
  STATIC_REQUIRE(hook_access::callable<hook::on_process, shapes, client_type&>);
  STATIC_REQUIRE(hook_access::callable<hook::on_close, shapes, client_type&>);
  STATIC_REQUIRE(hook_access::callable<hook::on_close, shapes, int>);
  STATIC_REQUIRE(hook_access::callable<hook::on_child_start, shapes>);
  STATIC_REQUIRE_FALSE(hook_access::callable<hook::on_close, shapes>);
  STATIC_REQUIRE_FALSE(hook_access::callable<hook::on_accept_ok, misdeclared, client_type&>);
  STATIC_REQUIRE_FALSE(hook_access::callable<hook::on_listen_ok, misdeclared>);
  STATIC_REQUIRE_FALSE(hook_access::callable<hook::on_server_close, misdeclared>);
  STATIC_REQUIRE_FALSE(hook_access::callable<hook::on_close, silent, client_type&>);
}

TEST_CASE("a hook is bound when it takes and returns what is documented") {
  STATIC_REQUIRE(bound<hook::on_process, shapes>);
  STATIC_REQUIRE(bound<hook::on_sig_child, shapes>);
  STATIC_REQUIRE(bound<hook::on_fork_ok, shapes>);
  STATIC_REQUIRE_FALSE(bound<hook::on_process, misdeclared>);
  STATIC_REQUIRE_FALSE(bound<hook::on_close, misdeclared>);
  STATIC_REQUIRE_FALSE(bound<hook::on_accept_ok, misdeclared>);
  STATIC_REQUIRE_FALSE(bound<hook::on_sig_child, misdeclared>);
  STATIC_REQUIRE_FALSE(bound<hook::on_process, silent>);
}

TEST_CASE("a hook is called with what it takes") {
  shapes handler;
  client_type client;
  hook_access::call<hook::on_server_begin>(handler);
  hook_access::call<hook::on_listen_ok>(handler);
  hook_access::call<hook::on_accept_ok>(handler, client);
  CHECK(client.sent == "hello");
  hook_access::call<hook::on_child_start>(handler);
  hook_access::call<hook::on_close>(handler, client);
  hook_access::call<hook::on_fork_ok>(handler, 7);
  const pid_t kid = 8;
  const int status = 0;
  hook_access::call<hook::on_sig_child>(handler, kid, status);
  CHECK(handler.ran == std::vector<std::string>{"on_child_start", "on_close", "on_fork_ok 7", "on_sig_child 8"});
}

TEST_CASE("of two hooks for the end of a kid, the one that takes the status is called") {
  struct {
    std::string ran;
    void on_sig_child(pid_t) { ran = "pid"; }
    void on_sig_child(pid_t, int status) { ran = "status " + std::to_string(status); }
  } handler;
  hook_access::call<hook::on_sig_child>(handler, 8, 9);
  CHECK(handler.ran == "status 9");
}

TEST_CASE("what on_process returns is handed on") {
  shapes handler;
  client_type client;
  STATIC_REQUIRE(std::is_same_v<result<hook::on_process, shapes, client_type&>, bool>);
  CHECK(hook_access::call<hook::on_process>(handler, client));
  client.sent = "something";
  CHECK_FALSE(hook_access::call<hook::on_process>(handler, client));
}

TEST_CASE("a hook that is not there, or not as documented, is not called and returns nothing") {
  STATIC_REQUIRE(std::is_void_v<result<hook::on_process, silent, client_type&>>);
  STATIC_REQUIRE(std::is_void_v<result<hook::on_process, misdeclared, client_type&>>);
  STATIC_REQUIRE(std::is_void_v<result<hook::on_close, misdeclared, client_type&>>);
  STATIC_REQUIRE(std::is_void_v<result<hook::on_sig_child, misdeclared, pid_t, int>>);
  misdeclared handler;
  client_type client;
  hook_access::call<hook::on_accept_ok>(handler, client);
  hook_access::call<hook::on_listen_ok>(handler);
  hook_access::call<hook::on_server_close>(handler);
  SUCCEED("it compiled");
}

TEST_CASE("what a hook throws leaves the call") {
  struct {
    void on_exception(std::exception_ptr thrown) { std::rethrow_exception(thrown); }
  } handler;
  CHECK_THROWS_AS(hook_access::call<hook::on_exception>(handler, std::make_exception_ptr(7)), int);
}

TEST_CASE("a final handler has no names, and its hooks can still be called") {
  STATIC_REQUIRE_FALSE(hook_access::named<hook::on_close, sealed>);
  STATIC_REQUIRE(bound<hook::on_close, sealed>);
}

TEST_CASE("a handler without a fault is explained in silence") {
  using runs = waiter::hooks<hook::on_process, hook::on_close>;
  waiter::contract::explain_handler<stating, base, client_type, runs>();
  STATIC_REQUIRE(waiter::contract::derives<stating, base>());
  STATIC_REQUIRE_FALSE(waiter::contract::derives<silent, base>());
  STATIC_REQUIRE_FALSE(waiter::contract::derives<struct unknown, base>());
  stating whole;
  base& part = whole;
  CHECK(&waiter::contract::handler_of<stating>(part) == &whole);
}
