#ifndef BENCHMARKS_SERVERS_WORKS_HPP
#define BENCHMARKS_SERVERS_WORKS_HPP

#include <waiter/waiter.hpp>

#include <boost/asio/buffer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <thread>
#include <vector>

/// What is done for a client, one handler each, in any composition. The references in C do the same (reference/work.c).
namespace works {

inline constexpr std::string_view line = "hello world\n";

/// Says one line.
template <class Fork, class Transport>
struct hello : waiter::basic_waiter<hello<Fork, Transport>, Fork, Transport> {
  using hello::basic_waiter::basic_waiter;
  void on_process(typename hello::client_type& client) { client.write(line); }
};

/// Says back what it is told, until there is no more.
template <class Fork, class Transport>
struct echo : waiter::basic_waiter<echo<Fork, Transport>, Fork, Transport> {
  using echo::basic_waiter::basic_waiter;
  void on_process(typename echo::client_type& client) {
    std::array<char, 16384> buffer;
    waiter::error_code error;
    while (!error) {
      const auto size = client.read_some(boost::asio::buffer(buffer), error);
      if (!error) client.write({buffer.data(), size}, error);
    }
  }
};

/// Gives 16 MB.
template <class Fork, class Transport>
struct get : waiter::basic_waiter<get<Fork, Transport>, Fork, Transport> {
  using get::basic_waiter::basic_waiter;
  void on_process(typename get::client_type& client) { client.write({bulk_.data(), bulk_.size()}); }

 private:
  std::vector<char> bulk_ = std::vector<char>(std::size_t{16} << 20);
};

/// Takes all there is, and says so.
template <class Fork, class Transport>
struct put : waiter::basic_waiter<put<Fork, Transport>, Fork, Transport> {
  using put::basic_waiter::basic_waiter;
  void on_process(typename put::client_type& client) {
    static std::array<char, 256 * 1024> buffer;
    waiter::error_code error;
    while (!error) client.read_some(boost::asio::buffer(buffer), error);
    client.write(line);
  }
};

/// Takes 50 ms for a client that says "slow".
template <class Fork, class Transport>
struct uneven : waiter::basic_waiter<uneven<Fork, Transport>, Fork, Transport> {
  using uneven::basic_waiter::basic_waiter;
  void on_process(typename uneven::client_type& client) {
    std::array<char, 16> word;
    waiter::error_code error;
    client.read_some(boost::asio::buffer(word), error);
    if (!error && word[0] == 's') std::this_thread::sleep_for(std::chrono::milliseconds(50));
    client.write(line);
  }
};

}  // namespace works

#endif
