#include <waiter/client/text.hpp>

#include "support/catch.hpp"
#include "unit/client/memory_client.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using waiter::error_code;
using waiter::make_error_code;
using waiter::system_error;
namespace asio = boost::asio;

static_assert(boost::beast::is_sync_read_stream<memory_client>::value);
static_assert(boost::beast::is_sync_write_stream<memory_client>::value);
static_assert(!std::is_copy_constructible_v<memory_client> && !std::is_move_constructible_v<memory_client>);
static_assert(!std::is_copy_assignable_v<memory_client> && !std::is_move_assignable_v<memory_client>);

using lines = std::vector<std::string>;
using mutable_buffers = std::vector<asio::mutable_buffer>;
using const_buffers = std::vector<asio::const_buffer>;

lines all_lines(memory_client& client, std::size_t limit, error_code& error) {
  lines result;
  while (auto line = client.read_line(limit, error)) result.push_back(*line);
  return result;
}

}  // namespace

TEST_CASE("a line is given without its end, however its bytes come") {
  struct row {
    const char* what;
    std::string text;
    lines expected;
  };
  const row table[] = {
      {"nothing", "", {}},
      {"a line", "a\n", {"a"}},
      {"a line as the network writes it", "a\r\n", {"a"}},
      {"both ends mixed", "a\nb\r\nc\n", {"a", "b", "c"}},
      {"a last line without end", "a\nb", {"a", "b"}},
      {"only a line without end", "ab", {"ab"}},
      {"empty lines", "\n\r\n\n", {"", "", ""}},
      {"a carriage return within a line", "a\rb\n", {"a\rb"}},
      {"two carriage returns: one is the line's", "a\r\r\n", {"a\r"}},
      {"a carriage return is no end by itself", "a\r", {"a\r"}},
      {"an end, then a lone carriage return", "a\n\r", {"a", "\r"}},
      {"zeros are bytes like others", std::string("a\0b\n\0", 5), {std::string("a\0b", 3), std::string("\0", 1)}},
      {"longer than a chunk",
       std::string(5000, 'x') + "\r\n" + std::string(8192, 'y'),
       {std::string(5000, 'x'), std::string(8192, 'y')}},
  };
  for (const auto& row : table) {
    for (const std::size_t piece : {1u, 2u, 3u, 1000u, 100000u}) {
      INFO(row.what << ", in pieces of " << piece);
      memory_client client;
      client.wire.say(row.text, piece);
      error_code error = asio::error::fault;
      CHECK(all_lines(client, client.default_line_limit, error) == row.expected);
      CHECK_FALSE(error);
      CHECK_FALSE(client.read_line());
    }
  }
}

TEST_CASE("a line may be as long as its limit, and no longer") {
  struct row {
    const char* what;
    std::string text;
    std::size_t limit;
    lines expected;
    bool too_long;
    std::string rest;
  };
  const row table[] = {
      {"as long as the limit", "abc\n", 3, {"abc"}, false, ""},
      {"the end does not count", "abc\r\n", 3, {"abc"}, false, ""},
      {"a last line does not need an end", "abc", 3, {"abc"}, false, ""},
      {"one too many", "abcd\n", 3, {}, true, "abcd\n"},
      {"one too many, as the network writes it", "abcd\r\n", 3, {}, true, "abcd\r\n"},
      {"one too many in a last line", "abcd", 3, {}, true, "abcd"},
      {"a carriage return that was no end", "abc\rd\n", 3, {}, true, "abc\rd\n"},
      {"a carriage return before the stream's end", "abc\r", 3, {}, true, "abc\r"},
      {"a second carriage return", "abc\r\r\n", 3, {}, true, "abc\r\r\n"},
      {"good lines come first", "ab\nc\nabcd\nd\n", 3, {"ab", "c"}, true, "abcd\nd\n"},
      {"no limit to speak of", "abcdefgh\r", std::string::npos, {"abcdefgh\r"}, false, ""},
      {"a long line, and no limit to speak of", std::string(10000, 'x'), std::string::npos, {std::string(10000, 'x')}, false, ""},
      {"only empty lines", "\r\n\na", 0, {"", ""}, true, "a"},
  };
  for (const auto& row : table) {
    for (const std::size_t piece : {1u, 2u, 1000u}) {
      INFO(row.what << ", in pieces of " << piece);
      memory_client client;
      client.wire.say(row.text, piece);
      error_code error;
      CHECK(all_lines(client, row.limit, error) == row.expected);
      CHECK((error == waiter::error::line_too_long) == row.too_long);
      CHECK(bool(error) == row.too_long);
      CHECK(client.read_all() == row.rest);
    }
  }
}

TEST_CASE("a line that is too long is told at once, not when more of it comes") {
  memory_client client;
  client.wire.says = {"abcd"};
  client.wire.then = make_error_code(waiter::error::timed_out);
  error_code error;
  CHECK_FALSE(client.read_line(3, error));
  CHECK(error == waiter::error::line_too_long);
}

TEST_CASE("an error amid a line is told, and the line goes on where it stood") {
  memory_client client;
  client.wire.says = {"one\ntw"};
  client.wire.then = make_error_code(waiter::error::timed_out);
  error_code error;
  CHECK(client.read_line(error) == "one");
  CHECK_FALSE(client.read_line(error));
  CHECK(error == waiter::error::timed_out);
  CHECK(client.buffered() == 2);

  client.wire.says = {"o\n"};
  CHECK(client.read_line(error) == "two");
  CHECK_FALSE(error);
}

TEST_CASE("without an error_code the error is thrown, and names what failed") {
  const auto thrown = [](auto operation) {
    memory_client client;
    client.wire.then = asio::error::connection_reset;
    client.wire.takes = 0;
    try {
      operation(client);
    } catch (const system_error& caught) {
      const std::string what = caught.what();
      return what.substr(0, what.find(':')) + ": " + caught.code().message();
    }
    return std::string();
  };
  char byte;
  const std::string reset = error_code(asio::error::connection_reset).message();
  const std::string broken = error_code(asio::error::broken_pipe).message();
  CHECK(thrown([&](auto& client) { client.read_some(asio::buffer(&byte, 1)); }) == "read_some: " + reset);
  CHECK(thrown([&](auto& client) { client.read_line(); }) == "read_line: " + reset);
  CHECK(thrown([&](auto& client) { client.read_all(); }) == "read_all: " + reset);
  CHECK(thrown([&](auto& client) { client.write_some(asio::buffer("x", 1)); }) == "write_some: " + broken);
  CHECK(thrown([&](auto& client) { client.write("x"); }) == "write: " + broken);
}

TEST_CASE("read_some fills the first buffer that has room, with one read") {
  memory_client client;
  client.wire.says = {"abc", "def"};
  std::array<char, 2> first{};
  std::array<char, 9> second{};
  CHECK(client.read_some(mutable_buffers{asio::mutable_buffer(), asio::buffer(first), asio::buffer(second)}) == 2);
  CHECK(std::string(first.data(), 2) == "ab");
  CHECK(client.read_some(asio::buffer(second)) == 1);
  CHECK(client.wire.reads == 2);

  error_code error = asio::error::fault;
  CHECK(client.read_some(asio::mutable_buffer(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.read_some(mutable_buffers(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.wire.reads == 2);
}

TEST_CASE("read_some first gives what read_line left over, to all buffers") {
  memory_client client;
  client.wire.says = {"line\nabcdef", "g"};
  CHECK(client.read_line() == "line");
  CHECK(client.buffered() == 6);
  std::array<char, 2> first{};
  std::array<char, 3> second{};
  error_code error = asio::error::fault;
  CHECK(client.read_some(mutable_buffers{asio::buffer(first), asio::buffer(second)}, error) == 5);
  CHECK_FALSE(error);
  CHECK(std::string(first.data(), 2) + std::string(second.data(), 3) == "abcde");
  CHECK(client.read_some(asio::mutable_buffer(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.read_some(asio::buffer(second)) == 1);
  CHECK(client.wire.reads == 1);
  CHECK(client.buffered() == 0);
  CHECK(client.read_some(asio::buffer(second)) == 1);
  CHECK(second[0] == 'g');
  CHECK(client.read_some(asio::buffer(second), error) == 0);
  CHECK(error == asio::error::eof);
}

TEST_CASE("write_some writes the first buffer that is not empty, once") {
  memory_client client;
  client.wire.at_once = 2;
  CHECK(client.write_some(const_buffers{asio::const_buffer(), asio::buffer("abc", 3), asio::buffer("def", 3)}) == 2);
  CHECK(client.wire.sent == "ab");
  CHECK(client.wire.writes == 1);
  error_code error = asio::error::fault;
  CHECK(client.write_some(asio::const_buffer(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.wire.writes == 1);
}

TEST_CASE("write sends all of a text, or says why not") {
  memory_client client;
  client.wire.at_once = 3;
  client.write("hello world\n");
  CHECK(client.wire.sent == "hello world\n");
  CHECK(client.wire.writes == 4);
  client.write("");
  CHECK(client.wire.writes == 4);

  client.wire.takes = client.wire.sent.size() + 4;
  error_code error;
  client.write("goodbye", error);
  CHECK(error == asio::error::broken_pipe);
  CHECK(client.wire.sent == "hello world\ngood");
}

TEST_CASE("read_all reads to the end, and no more than its limit") {
  for (const std::size_t piece : {1u, 1000u, 100000u}) {
    for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 20000u}) {
      CAPTURE(piece, size);
      const std::string text(size, 'x');
      error_code error = asio::error::fault;
      memory_client exact;
      exact.wire.say(text, piece);
      CHECK((exact.read_all(size, error) == text));
      CHECK_FALSE(error);

      memory_client more;
      more.wire.say(text + "yz", piece);
      CHECK((more.read_all(size, error) == text));
      CHECK(error == waiter::error::too_much_data);
      CHECK(more.read_all() == "yz");

      memory_client less;
      less.wire.say(text, piece);
      CHECK((less.read_all(size + 1, error) == text));
      CHECK_FALSE(error);
    }
  }
}

TEST_CASE("read_all begins with what read_line left over, and gives what came before an error") {
  memory_client client;
  client.wire.says = {"head\nbo", "dy"};
  client.wire.then = asio::error::connection_reset;
  CHECK(client.read_line() == "head");
  error_code error;
  CHECK(client.read_all(error) == "body");
  CHECK(error == asio::error::connection_reset);

  client.wire.says = {"head\nbody"};
  CHECK(client.read_line() == "head");
  CHECK(client.read_all(2, error) == "bo");
  CHECK(error == waiter::error::too_much_data);
  CHECK(client.buffered() == 2);
}

TEST_CASE("Asio's algorithms take a client") {
  memory_client client;
  client.wire.says = {"GET /", " HTTP/1.0\r\n\r", "\nbo", "dy"};
  client.wire.at_once = 3;
  std::string head;
  const auto size = asio::read_until(client, asio::dynamic_buffer(head), "\r\n\r\n");
  CHECK(head.substr(0, size) == "GET / HTTP/1.0\r\n\r\n");
  std::array<char, 2> body;
  asio::read(client, asio::buffer(body));
  CHECK(head.substr(size) + std::string(body.data(), 2) == "body");
  error_code error;
  CHECK(asio::read(client, asio::buffer(body), error) == 0);
  CHECK(error == asio::error::eof);
  asio::write(client, const_buffers{asio::buffer("200 ", 4), asio::buffer("OK\r\n", 4)});
  CHECK(client.wire.sent == "200 OK\r\n");
}
