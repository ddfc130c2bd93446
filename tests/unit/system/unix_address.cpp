#include <waiter/system/unix_address.hpp>

#include "support/catch.hpp"

#include <waiter/system/descriptor.hpp>

#include <string>
#include <vector>

namespace {

using waiter::system::descriptor;
using waiter::system::unix_address;

descriptor any_socket() { return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

}  // namespace

TEST_CASE("a path and an abstract name are read back as they were written") {
  for (const std::string& text : std::vector<std::string>{"/run/x.sock", "x", "@x", "@a name", std::string(unix_address::longest, 'x')}) {
    const auto address = unix_address::of(text);
    REQUIRE(address);
    CHECK(address->text() == text);
    CHECK(address->is_abstract() == (text.front() == '@'));
  }
}

TEST_CASE("what cannot be a name is none") {
  CHECK_FALSE(unix_address::of(""));
  CHECK_FALSE(unix_address::of("@"));
  CHECK_FALSE(unix_address::of(std::string(unix_address::longest + 1, 'x')));
  CHECK_FALSE(unix_address::of(std::string("a\0b", 3)));
}

TEST_CASE("a socket tells the abstract name that it is bound to, of just that length") {
  const auto socket = any_socket();
  CHECK_FALSE(unix_address::bound_to(socket.get()));
  const auto address = unix_address::of("@waiter unit test " + std::to_string(::getpid()));
  REQUIRE(::bind(socket.get(), address->data(), address->size()) == 0);
  const auto told = unix_address::bound_to(socket.get());
  REQUIRE(told);
  CHECK(told->text() == address->text());
}

TEST_CASE("a socket of TCP has no such address") {
  const descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_FALSE(unix_address::bound_to(socket.get()));
}
