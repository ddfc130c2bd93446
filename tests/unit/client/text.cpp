#include <waiter/client/text.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace {

std::size_t allocations = 0;
std::size_t largest_allocation = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  largest_allocation = std::max(largest_allocation, size);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using waiter::error_code;
using waiter::make_error_code;
using waiter::system_error;
namespace asio = boost::asio;

// A client that says what it is told to, piece by piece, and then breaks or ends.
class memory_client : public waiter::text_client<memory_client> {
 public:
  std::deque<std::string> says;
  error_code then = asio::error::eof;
  std::string sent;
  std::string sent_before_last_read;
  std::size_t at_once = std::string::npos;
  std::size_t takes = std::string::npos;
  int reads = 0;
  int writes = 0;

 private:
  friend waiter::text_client<memory_client>;

  std::size_t receive(void* data, std::size_t size, error_code& error) {
    ++reads;
    sent_before_last_read = sent;
    error.clear();
    if (says.empty()) {
      error = then;
      return 0;
    }
    auto& piece = says.front();
    const auto count = std::min(size, piece.size());
    std::memcpy(data, piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) says.pop_front();
    return count;
  }

  std::size_t transmit(const void* data, std::size_t size, error_code& error) {
    ++writes;
    error.clear();
    const auto count = std::min({size, at_once, takes - sent.size()});
    if (count == 0) error = asio::error::broken_pipe;
    sent.append(static_cast<const char*>(data), count);
    return count;
  }
};

static_assert(boost::beast::is_sync_read_stream<memory_client>::value);
static_assert(boost::beast::is_sync_write_stream<memory_client>::value);
static_assert(!std::is_copy_constructible_v<memory_client> && !std::is_move_constructible_v<memory_client>);
static_assert(!std::is_copy_assignable_v<memory_client> && !std::is_move_assignable_v<memory_client>);

using lines = std::vector<std::string>;
using mutable_buffers = std::vector<asio::mutable_buffer>;
using const_buffers = std::vector<asio::const_buffer>;

std::deque<std::string> cut(const std::string& text, std::size_t size) {
  std::deque<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += size) pieces.push_back(text.substr(at, size));
  return pieces;
}

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
      {"longer than a chunk", std::string(5000, 'x') + "\r\n" + std::string(8192, 'y'), {std::string(5000, 'x'), std::string(8192, 'y')}},
  };
  for (const auto& row : table) {
    for (const std::size_t piece : {1u, 2u, 3u, 1000u, 100000u}) {
      INFO(row.what << ", in pieces of " << piece);
      memory_client client;
      client.says = cut(row.text, piece);
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
      {"only empty lines", "\r\n\na", 0, {"", ""}, true, "a"},
  };
  for (const auto& row : table) {
    for (const std::size_t piece : {1u, 2u, 1000u}) {
      INFO(row.what << ", in pieces of " << piece);
      memory_client client;
      client.says = cut(row.text, piece);
      error_code error;
      CHECK(all_lines(client, row.limit, error) == row.expected);
      CHECK((error == waiter::error::line_too_long) == row.too_long);
      CHECK(bool(error) == row.too_long);
      CHECK(client.read_all() == row.rest);
    }
  }
}

TEST_CASE("any text cut anywhere gives the same lines") {
  std::mt19937 random(20240229);
  const auto below = [&](std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random); };
  for (int round = 0; round != 2000; ++round) {
    CAPTURE(round);
    lines expected(below(30));
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
      client.says.push_back(text.substr(at, 1 + below(longest)));
      at += client.says.back().size();
    }
    error_code error;
    // Without a stream lines alone; with one, now and then a line is read by it.
    const bool mixed = below(2) == 0;
    lines got;
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

TEST_CASE("the memory for lines stays below the limit and a chunk") {
  for (const std::size_t limit : {10u, 4096u, 10000u, 100000u}) {
    for (const std::size_t piece : {1u, 1000u, 1u << 20}) {
      CAPTURE(limit, piece);
      memory_client client;
      client.says = cut(std::string(limit * 3 + 10000, 'x'), piece);
      error_code error;
      largest_allocation = 0;
      client.read_line(limit, error);
      const auto largest = largest_allocation;
      CHECK(error == waiter::error::line_too_long);
      CHECK(largest <= limit + waiter::client_streambuf::chunk);
      CHECK(client.buffered() <= limit + waiter::client_streambuf::chunk);
    }
  }
}

TEST_CASE("a million short lines cost no more reads than their bytes need") {
  memory_client client;
  std::string text;
  for (int i = 0; i != 1000000; ++i) text += "abc\n";
  client.says = cut(text, 4095);
  std::size_t count = 0;
  while (auto line = client.read_line()) count += line->size() == 3;
  CHECK(count == 1000000);
  CHECK(client.reads < 3000);
}

TEST_CASE("an error amid a line is told, and the line goes on where it stood") {
  memory_client client;
  client.says = {"one\ntw"};
  client.then = make_error_code(waiter::error::timed_out);
  error_code error;
  CHECK(client.read_line(error) == "one");
  CHECK_FALSE(client.read_line(error));
  CHECK(error == waiter::error::timed_out);
  CHECK(client.buffered() == 2);

  client.says = {"o\n"};
  CHECK(client.read_line(error) == "two");
  CHECK_FALSE(error);
}

TEST_CASE("without an error_code the error is thrown, and names what failed") {
  const auto thrown = [](auto operation) {
    memory_client client;
    client.then = asio::error::connection_reset;
    client.takes = 0;
    try {
      operation(client);
    } catch (const system_error& caught) {
      return std::string(caught.what()).substr(0, 9) + ": " + caught.code().message();
    }
    return std::string();
  };
  char byte;
  const std::string reset = error_code(asio::error::connection_reset).message();
  const std::string broken = error_code(asio::error::broken_pipe).message();
  CHECK(thrown([&](auto& client) { client.read_some(asio::buffer(&byte, 1)); }) == "read_some: " + reset);
  CHECK(thrown([&](auto& client) { client.read_line(); }) == "read_line: " + reset);
  CHECK_THAT(thrown([&](auto& client) { client.read_all(); }), Catch::Contains(reset));
  CHECK_THAT(thrown([&](auto& client) { client.write_some(asio::buffer("x", 1)); }), Catch::Contains(broken));
  CHECK_THAT(thrown([&](auto& client) { client.write("x"); }), Catch::Contains(broken));
}

TEST_CASE("read_some fills the first buffer that has room, with one read") {
  memory_client client;
  client.says = {"abc", "def"};
  std::array<char, 2> first{};
  std::array<char, 9> second{};
  CHECK(client.read_some(mutable_buffers{asio::mutable_buffer(), asio::buffer(first), asio::buffer(second)}) == 2);
  CHECK(std::string(first.data(), 2) == "ab");
  CHECK(client.read_some(asio::buffer(second)) == 1);
  CHECK(client.reads == 2);

  error_code error = asio::error::fault;
  CHECK(client.read_some(asio::mutable_buffer(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.read_some(mutable_buffers(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.reads == 2);
}

TEST_CASE("read_some first gives what read_line left over, to all buffers") {
  memory_client client;
  client.says = {"line\nabcdef", "g"};
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
  CHECK(client.reads == 1);
  CHECK(client.buffered() == 0);
  CHECK(client.read_some(asio::buffer(second)) == 1);
  CHECK(second[0] == 'g');
  CHECK(client.read_some(asio::buffer(second), error) == 0);
  CHECK(error == asio::error::eof);
}

TEST_CASE("write_some writes the first buffer that is not empty, once") {
  memory_client client;
  client.at_once = 2;
  CHECK(client.write_some(const_buffers{asio::const_buffer(), asio::buffer("abc", 3), asio::buffer("def", 3)}) == 2);
  CHECK(client.sent == "ab");
  CHECK(client.writes == 1);
  error_code error = asio::error::fault;
  CHECK(client.write_some(asio::const_buffer(), error) == 0);
  CHECK_FALSE(error);
  CHECK(client.writes == 1);
}

TEST_CASE("write sends all of a text, or says why not") {
  memory_client client;
  client.at_once = 3;
  client.write("hello world\n");
  CHECK(client.sent == "hello world\n");
  CHECK(client.writes == 4);
  client.write("");
  CHECK(client.writes == 4);

  client.takes = client.sent.size() + 4;
  error_code error;
  client.write("goodbye", error);
  CHECK(error == asio::error::broken_pipe);
  CHECK(client.sent == "hello world\ngood");
}

TEST_CASE("read_all reads to the end, and no more than its limit") {
  for (const std::size_t piece : {1u, 1000u, 100000u}) {
    for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 20000u}) {
      CAPTURE(piece, size);
      const std::string text(size, 'x');
      error_code error = asio::error::fault;
      memory_client exact;
      exact.says = cut(text, piece);
      CHECK((exact.read_all(size, error) == text));
      CHECK_FALSE(error);

      memory_client more;
      more.says = cut(text + "yz", piece);
      CHECK((more.read_all(size, error) == text));
      CHECK(error == waiter::error::too_much_data);
      CHECK(more.read_all() == "yz");

      memory_client less;
      less.says = cut(text, piece);
      CHECK((less.read_all(size + 1, error) == text));
      CHECK_FALSE(error);
    }
  }
}

TEST_CASE("read_all begins with what read_line left over, and gives what came before an error") {
  memory_client client;
  client.says = {"head\nbo", "dy"};
  client.then = asio::error::connection_reset;
  CHECK(client.read_line() == "head");
  error_code error;
  CHECK(client.read_all(error) == "body");
  CHECK(error == asio::error::connection_reset);

  client.says = {"head\nbody"};
  CHECK(client.read_line() == "head");
  CHECK(client.read_all(2, error) == "bo");
  CHECK(error == waiter::error::too_much_data);
  CHECK(client.buffered() == 2);
}

TEST_CASE("a client that is only read and written allocates nothing") {
  memory_client client;
  client.says = {"abc"};
  client.sent.reserve(100);
  client.sent_before_last_read.reserve(100);
  std::array<char, 10> bytes;
  error_code error;
  allocations = 0;
  client.read_some(asio::buffer(bytes), error);
  client.write_some(asio::buffer("hello"), error);
  client.write("world", error);
  client.flush_stream();
  const bool untouched = client.buffered() == 0 && !client.stream_error();
  const auto counted = allocations;
  CHECK(untouched);
  CHECK(counted == 0);
}

TEST_CASE("lines, bytes and the stream may be read in any order") {
  memory_client client;
  client.says = {"one\ntwo\nthree\nfo", "ur\nfive\nsix\n"};
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
  CHECK(client.sent == "one two three four ");
  client.stream() << "five";
  CHECK_FALSE(client.flush_stream());
  CHECK(client.sent == "one two three four five");
}

TEST_CASE("every read that waits sends the stream's question first") {
  memory_client client;
  client.says = {"a\nb\n", "cd", "e"};
  client.stream() << "1";
  client.read_line();
  CHECK(client.sent_before_last_read == "1");
  client.stream() << "2";
  client.read_line();
  CHECK(client.sent == "1");
  std::array<char, 2> bytes;
  client.read_some(asio::buffer(bytes));
  CHECK(client.sent_before_last_read == "12");
  client.stream() << "3";
  client.read_all();
  CHECK(client.sent_before_last_read == "123");
}

TEST_CASE("a stream's failed write is told by whoever meets it, and by the stream") {
  memory_client client;
  client.says = {"bye\n"};
  client.takes = 2;
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
  CHECK(client.sent == "he");
  CHECK(client.stream_error() == asio::error::broken_pipe);
}

TEST_CASE("Asio's algorithms take a client") {
  memory_client client;
  client.says = {"GET /", " HTTP/1.0\r\n\r", "\nbo", "dy"};
  client.at_once = 3;
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
  CHECK(client.sent == "200 OK\r\n");
}
