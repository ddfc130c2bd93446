#ifndef BENCHMARKS_PEERS_ASIO_WORKS_HPP
#define BENCHMARKS_PEERS_ASIO_WORKS_HPP

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdlib>
#include <string_view>

using boost::asio::ip::tcp;

/// What is done for a client, blocking.
namespace asio_works {

using work = void (*)(tcp::socket& client);

/// Says one line.
inline void hello(tcp::socket& client) {
  boost::system::error_code error;
  boost::asio::write(client, boost::asio::buffer("hello world\n", 12), error);
}

/// Says back what it is told, until there is no more.
inline void echo(tcp::socket& client) {
  client.set_option(tcp::no_delay(true));
  std::array<char, 16384> buffer;
  boost::system::error_code error;
  while (!error) {
    const auto size = client.read_some(boost::asio::buffer(buffer), error);
    if (!error) boost::asio::write(client, boost::asio::buffer(buffer, size), error);
  }
}

inline work named(std::string_view name) {
  if (name == "hello") return hello;
  if (name == "echo") return echo;
  std::exit(2);
}

}  // namespace asio_works

#endif
