// Runs a program for each client, as inetd and tcpserver do: what the client sends is the program's standard input, and what the
// program prints goes to the client.
//
//   $ 6_exec 9123 sh -c 'echo hello $TCPREMOTEIP, say something; read line; echo "you said: $line"' &
//   $ socat - TCP:localhost:9123        (or nc, or telnet)
//   hello 127.0.0.1, say something
//   peace
//   you said: peace
//
//   $ 6_exec --tls 9124 cat &
//   $ openssl s_client -quiet -connect localhost:9124
//
// 6_exec [--tls] PORT PROGRAM [ARGUMENTS…]. The environment tells the program who its client is: PROTO, TCPREMOTEIP,
// TCPREMOTEPORT, TCPLOCALIP and TCPLOCALPORT as tcpserver sets them, and REMOTE_HOST. When the program ends, the client is
// closed; when the client vanishes, the program is asked to end (SIGTERM), and killed after two seconds. When the server stops, programs
// have two seconds to end by themselves before that.
#include "support/port.hpp"
#include "support/program.hpp"
#include "support/relay.hpp"
#include "support/self_signed.hpp"

#include <waiter/ssl.hpp>
#include <waiter/system/event_wait.hpp>
#include <waiter/system/signal_mask.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/environment.hpp>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using waiter_examples::program;

template <class Transport>
class exec_server : public waiter::basic_waiter<exec_server<Transport>, waiter::forking, Transport> {
  using base = waiter::basic_waiter<exec_server, waiter::forking, Transport>;
  using clock = std::chrono::steady_clock;

 public:
  using typename base::client_type;
  using typename base::options;

  exec_server(options settings, std::vector<std::string> command) : base(std::move(settings)), command_(std::move(command)) {}

  void on_listen_ok() { this->log("listening on port ", this->get_port()); }

  void on_process(client_type& client) {
    notice_when_it_vanishes(client.native_handle());
    serve(client);
    // The end of the stream, whoever else may still hold the socket.
    waiter::error_code ignored;
    client.shutdown_send(ignored);
  }

 private:
  // The program has the socket itself, and we only look on: until the program ends, or the connection breaks.
  void serve(waiter::plain_client& client) {
    const int socket = client.native_handle();
    boost::asio::io_context context;  // Boost.Process wants one. Made here, in the kid: none may cross a fork
    program running(context, command_, socket, socket, about(client));
    pollfd on[] = {{running.descriptor(), POLLIN, 0}, {socket, 0, 0}};
    const waiter::system::signal_mask held;  // no signal comes between the look at the end of time and the wait
    while (clock::now() < end_of_time() && waiter::system::wait_for_event(on, end_of_time(), held.waiting()) == 0) {
    }
  }

  // The program has two pipes, because it does not speak TLS.
  void serve(waiter::ssl_client& client) {
    waiter_examples::pipe to_program, from_program;
    boost::asio::io_context context;
    program running(context, command_, to_program.read.get(), from_program.write.get(), about(client));
    to_program.read.reset();  // its ends are the program's alone, so that each side sees when the other closes
    from_program.write.reset();
    waiter_examples::relay(client, std::move(to_program.write), std::move(from_program.read), running.descriptor())
        .run([this] { return end_of_time(); });
  }

  // There is none, until the server stops: then the program has a moment left, and is asked to end like that of a vanished client.
  clock::time_point end_of_time() {
    if (end_of_time_ == clock::time_point::max() && this->is_stopping()) end_of_time_ = clock::now() + 2s;
    return end_of_time_;
  }

  static waiter_examples::surroundings about(const client_type& client) {
    const auto& peer = client.peer();
    const auto local = client.local();
    return waiter_examples::surroundings({
        "PROTO=TCP",
        "TCPREMOTEIP=" + peer.address().to_string(),
        "TCPREMOTEPORT=" + std::to_string(peer.port()),
        "TCPLOCALIP=" + local.address().to_string(),
        "TCPLOCALPORT=" + std::to_string(local.port()),
        "REMOTE_HOST=" + peer.address().to_string(),
    });
  }

  // A client that is silent, or has only half-closed, answers the kernel's probes. One that is gone does not, or with a reset.
  static void notice_when_it_vanishes(int socket) {
    const auto set = [socket](int name, int value) { ::setsockopt(socket, IPPROTO_TCP, name, &value, sizeof value); };
    set(TCP_KEEPIDLE, 30);
    set(TCP_KEEPINTVL, 10);
    set(TCP_KEEPCNT, 3);
  }

  std::vector<std::string> command_;
  clock::time_point end_of_time_ = clock::time_point::max();
};

template <class Transport>
int serve(std::uint16_t port, typename Transport::options transport, std::vector<std::string> command) {
  // A program decides for itself how long it waits for its client.
  exec_server<Transport> server(
      {.port = port, .grace = 5s, .io_timeout = waiter::never, .fork = {.maxfork = 100}, .transport = std::move(transport)},
      std::move(command));
  return server.run();
}

int main(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  const bool tls = !words.empty() && words.front() == "--tls";
  if (tls) words.erase(words.begin());
  const auto port = words.empty() ? std::nullopt : waiter_examples::to_port(words.front());
  if (!port || words.size() < 2) {
    std::cerr << "usage: 6_exec [--tls] PORT PROGRAM [ARGUMENTS…], where PORT is 0 to 65535\n";
    return 2;
  }
  words.erase(words.begin());
  if (words.front().find('/') == std::string::npos) {
    const auto found = boost::process::v2::environment::find_executable(words.front());
    if (found.empty()) {
      std::cerr << "6_exec: there is no program '" << words.front() << "' on PATH\n";
      return 2;
    }
    words.front() = found.string();
  }
  if (!tls) return serve<waiter::plain>(*port, {}, std::move(words));
  const waiter_examples::self_signed certificate;
  waiter::ssl::options transport{.cert_file = certificate.cert_file(), .key_file = certificate.key_file()};
  return serve<waiter::ssl>(*port, std::move(transport), std::move(words));
}
