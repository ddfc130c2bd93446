#include <waiter/client/text.hpp>

#include "support/catch.hpp"
#include "unit/client/memory_client.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using waiter::error_code;

TEST_CASE("any text cut anywhere gives the same lines") {
  std::mt19937 random(20240229);
  const auto below = [&](std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random); };
  for (int round = 0; round != 2000; ++round) {
    CAPTURE(round);
    std::vector<std::string> expected(below(30));
    std::string text;
    for (auto& line : expected) {
      const std::size_t size = below(20) == 0 ? below(8193) : below(60);
      for (std::size_t i = 0; i != size; ++i) line += below(12) == 0 ? '\r' : static_cast<char>('a' + below(26));
      // A line's own last carriage return would be taken for its end's.
      if (line.ends_with('\r')) line.back() = '.';
      text += line;
      text += below(2) == 0 ? "\n" : "\r\n";
    }
    if (!expected.empty() && !expected.back().empty() && below(2) == 0) {
      text.erase(text.size() - (text.ends_with("\r\n") ? 2 : 1));
    }
    memory_client client;
    const std::size_t longest = std::array<std::size_t, 4>{2, 40, 3000, 20000}[below(4)];
    for (std::size_t at = 0; at < text.size();) {
      client.wire.says.push_back(text.substr(at, 1 + below(longest)));
      at += client.wire.says.back().size();
    }
    error_code error;
    // Without a stream lines alone; with one, now and then a line is read by it.
    const bool mixed = below(2) == 0;
    std::vector<std::string> got;
    for (;;) {
      std::string line;
      if (mixed && below(2) == 0) {
        if (!std::getline(client.stream(), line)) break;
        if (line.ends_with('\r')) line.pop_back();
        client.stream().clear();
      } else {
        auto next = client.read_line(error);
        if (!next) break;
        line = std::move(*next);
      }
      got.push_back(std::move(line));
    }
    REQUIRE_FALSE(error);
    REQUIRE((got == expected));
  }
}

TEST_CASE("lines, bytes and the stream may be read in any order") {
  memory_client client;
  client.wire.says = {"one\ntwo\nthree\nfo", "ur\nfive\nsix\n"};
  std::string line;
  CHECK(client.read_line() == "one");
  std::getline(client.stream(), line);
  CHECK(line == "two");
  std::array<char, 4> bytes;
  CHECK(client.read_some(asio::buffer(bytes)) == 4);
  CHECK(std::string(bytes.data(), 4) == "thre");
  CHECK(client.read_line() == "e");
  std::getline(client.stream(), line);
  CHECK(line == "four");
  CHECK(client.read_line() == "five");
  CHECK(client.read_all() == "six\n");
  CHECK(&client.stream() == &client.stream());
}

TEST_CASE("no write overtakes the stream's") {
  memory_client client;
  client.stream() << "one ";
  client.write("two ");
  client.stream() << "three ";
  client.write_some(asio::buffer("four ", 5));
  CHECK(client.wire.sent == "one two three four ");
  client.stream() << "five";
  CHECK_FALSE(client.flush_stream());
  CHECK(client.wire.sent == "one two three four five");
}

TEST_CASE("every read that waits sends the stream's question first") {
  memory_client client;
  client.wire.says = {"a\nb\n", "cd", "e"};
  client.stream() << "1";
  client.read_line();
  CHECK(client.wire.sent_before_last_read == 1);
  client.stream() << "2";
  client.read_line();
  CHECK(client.wire.sent == "1");
  std::array<char, 2> bytes;
  client.read_some(asio::buffer(bytes));
  CHECK(client.wire.sent_before_last_read == 2);
  client.stream() << "3";
  client.read_all();
  CHECK(client.wire.sent_before_last_read == 3);
}

TEST_CASE("a stream's failed write is told by whoever meets it, and by the stream") {
  memory_client client;
  client.wire.says = {"bye\n"};
  client.wire.takes = 2;
  client.stream() << "hello";
  CHECK_FALSE(client.stream_error());

  error_code error;
  SECTION("flush_stream") {
    client.stream().exceptions(std::ios_base::badbit);
    CHECK(client.flush_stream() == asio::error::broken_pipe);
    CHECK(client.flush_stream() == asio::error::broken_pipe);
  }
  SECTION("write") {
    client.write(" world", error);
    CHECK(error == asio::error::broken_pipe);
  }
  SECTION("read_line, which reads on when asked again") {
    CHECK_FALSE(client.read_line(error));
    CHECK(error == asio::error::broken_pipe);
    CHECK(client.read_line(error) == "bye");
  }
  SECTION("read_some") {
    char byte;
    CHECK(client.read_some(asio::buffer(&byte, 1), error) == 0);
    CHECK(error == asio::error::broken_pipe);
  }
  CHECK(client.wire.sent == "he");
  CHECK(client.stream_error() == asio::error::broken_pipe);
}
