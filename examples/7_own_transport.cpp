// A transport of one's own, of the library's public headers only. Behind a load balancer every client seems to be the balancer;
// so balancers can say in one line, before the client's first byte, who it really is: the PROXY protocol, version 1.
//
//   $ 7_own_transport 9123 &            7_own_transport [PORT [BALANCER]]
//   $ printf 'PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n' | socat - TCP:localhost:9123
//   hello 203.0.113.7:56324, brought here by 127.0.0.1:40112
//   $ curl --haproxy-protocol --http0.9 localhost:9123
//
// The line is trusted, so only the BALANCER (an address, by default 127.0.0.1) may connect.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
#include "support/port.hpp"

#include <waiter/client/connected_client.hpp>
#include <waiter/waiter.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

/// A client that came through a balancer. All that a client can do comes from `connected_client`; what is its transport's own is
/// how one read and one write are done, and here that is nothing special.
class proxied_client final : public waiter::connected_client<proxied_client> {
 public:
  explicit proxied_client(waiter::connection&& wire) noexcept
      : connected_client(std::move(wire)), peer_(connected_client::peer()) {}

  /// The client itself. Until the line was read, as in on_accept_ok, it is the balancer.
  const endpoint& peer() const noexcept { return peer_; }
  const endpoint& balancer() const noexcept { return connected_client::peer(); }

 private:
  friend class waiter::text_client<proxied_client>;
  friend class proxied;

  std::size_t receive(void* data, std::size_t size, waiter::error_code& error) noexcept {
    return wire().receive(data, size, error);
  }
  std::size_t transmit(const void* data, std::size_t size, waiter::error_code& error) noexcept {
    return wire().transmit(data, size, error);
  }

  // Reads the line and not a byte more: what follows is the client's. The shortest line has 15 bytes, the longest 107, and while
  // its end is not in sight two more are missing at least, or one, if a carriage return has come.
  std::optional<std::string> read_header(waiter::milliseconds limit) {
    constexpr std::size_t shortest = 15, longest = 107;
    const auto deadline = wire().deadline();
    wire().deadline().set_io_timeout(waiter::never);
    wire().deadline().expires_within(limit, std::chrono::steady_clock::now());
    std::string line;
    waiter::error_code error;
    while (!error && !line.ends_with("\r\n") && looks_right(line)) {
      const std::size_t missing = line.size() < shortest ? shortest - line.size() : line.ends_with('\r') ? 1 : 2;
      if (line.size() + missing > longest) break;
      char some[shortest];
      line.append(some, wire().receive(some, missing, error));
    }
    wire().deadline() = deadline;
    if (error) return "no PROXY line: " + error.message();
    if (!line.ends_with("\r\n")) return "what came is no PROXY line";
    line.resize(line.size() - 2);
    return adopt(line);
  }

  static bool looks_right(std::string_view line) {
    return line.substr(0, 6) == std::string_view("PROXY ").substr(0, line.size());
  }

  std::optional<std::string> adopt(std::string_view line) {
    std::vector<std::string> words;
    for (std::size_t begin = 0, end = 0; end != line.npos; begin = end + 1) {
      end = line.find(' ', begin);
      words.emplace_back(line.substr(begin, end == line.npos ? end : end - begin));
    }
    // The balancer does not know, or checks our health: then the client is who it seems to be.
    if (words.size() > 1 && words[1] == "UNKNOWN") return std::nullopt;
    if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return "a PROXY line that I cannot read";
    waiter::error_code wrong, wrong_too;
    const auto address = boost::asio::ip::make_address(words[2], wrong);
    const auto reached = boost::asio::ip::make_address(words[3], wrong_too);
    const auto port = waiter_examples::to_port(words[4]);
    const bool v4 = words[1] == "TCP4";
    if (wrong || wrong_too || address.is_v4() != v4 || reached.is_v4() != v4 || !port || !waiter_examples::to_port(words[5]))
      return "a PROXY line that I cannot read";
    peer_ = endpoint(address, *port);
    return std::nullopt;
  }

  endpoint peer_;
};

/// Plain TCP, behind a balancer that speaks the PROXY protocol.
class proxied {
 public:
  struct options {
    /// The only address that may connect.
    std::string balancer = "127.0.0.1";
    /// For the whole line, in however many pieces it comes.
    waiter::milliseconds header_timeout{3000};
  };
  using client_type = proxied_client;

  static constexpr std::string_view name = "proxied";
  static constexpr bool encrypted = false;

  /// In the listening process, before the socket: nothing, or what is wrong. Then run() logs it and returns 100.
  std::optional<std::string> prepare(const options& settings) {
    waiter::error_code error;
    balancer_ = boost::asio::ip::make_address(settings.balancer, error);
    header_timeout_ = settings.header_timeout;
    if (error) return "the balancer '" + settings.balancer + "' is no address";
    return std::nullopt;
  }

  /// Where the client is accepted: not a word is spoken yet.
  client_type welcome(waiter::connection&& wire) noexcept { return client_type(std::move(wire)); }

  /// In the process that serves, which alone waits for this client. What it returns goes to on_ssl_error, and the client is
  /// closed.
  std::optional<std::string> handshake(client_type& client) {
    if (client.balancer().address() != balancer_) return "this is not the balancer";
    return client.read_header(header_timeout_);
  }

  /// The last words. What waits in the client's stream is to be sent.
  void finish(client_type& client) { client.flush_stream(); }

 private:
  boost::asio::ip::address balancer_;
  waiter::milliseconds header_timeout_{};
};

static_assert(waiter::transport_policy<proxied>);

struct greeter : waiter::basic_waiter<greeter, waiter::forking, proxied> {
  using basic_waiter::basic_waiter;

  void on_listen_ok() { log("listening on port ", get_port()); }
  void on_ssl_error(std::string_view what) { log("refused: ", what); }
  void on_process(client_type& client) {
    client.stream() << "hello " << client.peer() << ", brought here by " << client.balancer() << "\n";
    // And what the client says itself begins right after the line.
    while (const auto line = client.read_line()) client.stream() << "you said: " << *line << std::endl;
  }
};

int main(int count, char** arguments) {
  const auto port = waiter_examples::to_port(count > 1 ? arguments[1] : "9123");
  if (!port || count > 3) {
    std::cerr << "usage: 7_own_transport [PORT [BALANCER]], where PORT is 0 to 65535 and BALANCER an address\n";
    return 2;
  }
  greeter server{{.port = *port, .transport = {.balancer = count > 2 ? arguments[2] : "127.0.0.1"}}};
  return server.run();
}
