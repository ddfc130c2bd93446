#include <waiter/client/client_iostream.hpp>

#include "support/catch.hpp"
#include "unit/client/scripted_wire.hpp"

#include <boost/asio/error.hpp>
#include <cstddef>
#include <ios>
#include <iterator>
#include <string>
#include <vector>

namespace {

using waiter::make_error_code;

struct scripted_peer final : waiter::client_streambuf {
  std::size_t receive(void* data, std::size_t size, waiter::error_code& error) override { return wire.give(data, size, error); }
  std::size_t transmit(const void* data, std::size_t size, waiter::error_code& error) override {
    return wire.take(data, size, error);
  }

  scripted_wire wire;
};

}  // namespace

TEST_CASE("a stream reads words, numbers and lines across the pieces they come in") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  peer.wire.says = {"ad", "d 1", "2 30\n", "the rest", " of it\nlast"};
  std::string verb, line;
  int left = 0, right = 0;
  stream >> verb >> left >> right;
  CHECK(verb == "add");
  CHECK(left == 12);
  CHECK(right == 30);
  std::getline(stream >> std::ws, line);
  CHECK(line == "the rest of it");
  std::getline(stream, line);
  CHECK(line == "last");
  CHECK(stream.eof());
  CHECK_FALSE(stream.bad());
  CHECK_FALSE(peer.last_error());
}

TEST_CASE("the end of a stream is no error") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  CHECK(stream.get() == std::char_traits<char>::eof());
  CHECK(stream.eof());
  CHECK(stream.fail());
  CHECK_FALSE(stream.bad());
  CHECK_FALSE(peer.last_error());
}

TEST_CASE("a failed read breaks the stream, tells why, and does not throw") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  peer.wire.says = {"half a li"};
  peer.wire.then = make_error_code(waiter::error::timed_out);
  std::string line;
  CHECK_NOTHROW(std::getline(stream, line));
  CHECK(line == "half a li");
  CHECK(stream.bad());
  CHECK(peer.last_error() == waiter::error::timed_out);

  SECTION("and a stream that is cleared reads on") {
    peer.wire.says = {"ne\n"};
    stream.clear();
    std::getline(stream, line);
    CHECK(line == "ne");
    CHECK(stream.good());
  }
  SECTION("an iterator over the buffer does not throw either") {
    stream.clear();
    CHECK_NOTHROW(std::string(std::istreambuf_iterator<char>(stream), {}).empty());
    CHECK(stream.bad());
  }
}

TEST_CASE("a stream throws where its user asks for it") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  peer.wire.then = boost::asio::error::connection_reset;
  stream.exceptions(std::ios_base::badbit);
  std::string line;
  CHECK_THROWS_AS(std::getline(stream, line), std::ios_base::failure);
  CHECK(peer.last_error() == boost::asio::error::connection_reset);
}

TEST_CASE("small writes travel together, until they are flushed or 4 KB are full") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  stream << "answer: " << 42 << '\n';
  CHECK(peer.wire.sent.empty());
  stream << std::flush;
  CHECK(peer.wire.sent == "answer: 42\n");
  CHECK(peer.wire.writes == 1);

  for (int i = 0; i != 4097; ++i) stream.put('x');
  CHECK(peer.wire.writes == 2);
  CHECK(peer.wire.sent.size() == 11 + 4096);
  stream << std::endl;
  CHECK(peer.wire.sent.size() == 11 + 4096 + 2);
}

TEST_CASE("a text of any size arrives whole, whatever a write takes") {
  for (const std::size_t before : {0u, 1u, 100u, 4095u, 4096u}) {
    for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 8191u, 8192u, 100000u}) {
      for (const std::size_t at_once : {std::size_t{1000}, std::string::npos}) {
        CAPTURE(before, size, at_once);
        scripted_peer peer;
        peer.wire.at_once = at_once;
        waiter::client_iostream stream(peer);
        std::string text(size, '?');
        for (std::size_t i = 0; i != size; ++i) text[i] = static_cast<char>('a' + i % 23);
        const std::string prefix(before, '.');
        stream << prefix << text << std::flush;
        CHECK(stream.good());
        CHECK((peer.wire.sent == prefix + text));
      }
    }
  }
}

TEST_CASE("a long text is sent from where it lies, in one write") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  stream << std::string(1 << 20, 'x');
  CHECK(peer.wire.writes == 1);
  CHECK(peer.wire.sent.size() == 1 << 20);
}

TEST_CASE("after a failed write nothing more is sent, and the error stays") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  peer.wire.takes = 3;
  stream << "hello" << std::flush;
  CHECK(stream.bad());
  CHECK(peer.wire.sent == "hel");
  CHECK(peer.last_error() == boost::asio::error::broken_pipe);

  peer.wire.takes = std::string::npos;
  stream.clear();
  stream << "again" << std::flush;
  CHECK(stream.bad());
  CHECK(peer.wire.sent == "hel");
  stream.clear();
  stream << std::string(10000, 'x');
  CHECK(stream.bad());
  stream.clear();
  stream << 'x';
  CHECK(stream.bad());
  CHECK(peer.wire.sent == "hel");
  CHECK(peer.last_error() == boost::asio::error::broken_pipe);

  SECTION("but what the peer said can still be read") {
    peer.wire.says = {"bye\n"};
    stream.clear();
    std::string line;
    std::getline(stream, line);
    CHECK(line == "bye");
  }
}

TEST_CASE("a question reaches the peer before its answer is waited for") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  peer.wire.says = {"Ada\nLovelace\n"};
  std::string first, last;
  stream << "name? ";
  std::getline(stream, first);
  CHECK(peer.wire.sent_before_last_read == 6);

  SECTION("and is not sent early when the answer is here already") {
    stream << "thanks, ";
    std::getline(stream, last);
    CHECK(last == "Lovelace");
    CHECK(peer.wire.writes == 1);
  }
  SECTION("and a question that cannot be sent is not waited for") {
    std::getline(stream, last);
    peer.wire.takes = peer.wire.sent.size();
    peer.wire.says = {"never read"};
    stream << "age? ";
    std::getline(stream, first);
    CHECK(stream.bad());
    CHECK(peer.wire.reads == 1);
    CHECK(peer.last_error() == boost::asio::error::broken_pipe);
  }
}

TEST_CASE("a long read goes past the buffer, and gives the same bytes as short ones") {
  std::string text(50000, '?');
  for (std::size_t i = 0; i != text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  for (const std::size_t size : {1u, 100u, 4095u, 4096u, 5000u, 49999u, 50000u, 60000u}) {
    CAPTURE(size);
    scripted_peer peer;
    waiter::client_iostream stream(peer);
    peer.wire.says = {text.substr(0, 7), text.substr(7, 6000), text.substr(6007)};
    std::string got;
    CHECK(stream.peek() == 'a');
    std::vector<char> part(size);
    do {
      stream.read(part.data(), static_cast<std::streamsize>(size));
      got.append(part.data(), static_cast<std::size_t>(stream.gcount()));
    } while (stream);
    CHECK((got == text));
    CHECK_FALSE(stream.bad());
  }
}

TEST_CASE("a character may be put back, but never a wrong one") {
  scripted_peer peer;
  waiter::client_iostream stream(peer);
  peer.wire.says = {"ab", std::string(5000, 'x')};
  CHECK(stream.get() == 'a');
  stream.unget();
  CHECK(stream.get() == 'a');
  CHECK(stream.get() == 'b');
  std::vector<char> part(5000);
  stream.read(part.data(), 5000);
  REQUIRE(stream.good());
  stream.unget();
  CHECK(stream.bad());
}

TEST_CASE("a stream that is gone is not told of errors") {
  scripted_peer peer;
  peer.wire.then = boost::asio::error::connection_reset;
  { waiter::client_iostream stream(peer); }
  CHECK(peer.sgetc() == std::char_traits<char>::eof());
  CHECK(peer.last_error() == boost::asio::error::connection_reset);
}
