// Says back what it is told, line by line: how to read lines, and how to keep clients from taking too much or staying too long.
//
//   $ 2_echo 9123 &                     2_echo [PORT [SECONDS]]
//   $ socat - TCP:localhost:9123        (or nc, or telnet)
//   hello
//   hello
//   (and after 15 seconds of silence)
//   Your time is up. Goodbye.
//
// A process for each client, ten at once. No client can hurt another: a line has at most 1000 characters, a read or a write may
// take SECONDS, and the whole visit four times as long.
#include "support/port.hpp"

#include <waiter/waiter.hpp>

#include <chrono>
#include <iostream>

using namespace std::chrono_literals;

struct echo : waiter::basic_waiter<echo, waiter::forking, waiter::plain> {
  using basic_waiter::basic_waiter;

  static constexpr std::size_t longest_line = 1000;

  void on_listen_ok() { log("listening on port ", get_port()); }

  void on_process(client_type& client) {
    // Not given an error_code, reads and writes throw. That is as good here: nobody need catch it, and the client is closed. But a
    // client that is sent away is to hear why.
    waiter::error_code error;
    // A line comes without its end, "\n" or "\r\n". There is none when the client has said all, and then no error either.
    while (const auto line = client.read_line(longest_line, error)) {
      client.write(*line + "\n", error);
      if (error) break;
    }
    if (error == waiter::error::line_too_long)
      farewell(client, "That line is too long for me. Goodbye.\n");
    else if (error == waiter::error::timed_out)
      farewell(client, "Your time is up. Goodbye.\n");
  }

  // The eleventh at once. This runs in the listening process, which has others to look after, so it does not read.
  void on_maxforked(client_type& client) { farewell(client, "Too many at once. Please come back later.\n"); }

 private:
  static void farewell(client_type& client, std::string_view text) {
    client.expires_after(1s);  // also when the whole visit is over: one second more, to say so
    waiter::error_code nobody_listens;
    client.write(text, nobody_listens);
  }
};

int main(int count, char** arguments) {
  const auto port = waiter_examples::to_port(count > 1 ? arguments[1] : "9123");
  const auto seconds = waiter_examples::to_port(count > 2 ? arguments[2] : "15");
  if (!port || !seconds || *seconds == 0 || count > 3) {
    std::cerr << "usage: 2_echo [PORT [SECONDS]], where PORT is 0 to 65535 and SECONDS 1 to 65535\n";
    return 2;
  }
  const std::chrono::seconds patience{*seconds};
  echo server{{.port = *port, .io_timeout = patience, .client_timeout = 4 * patience, .fork = {.maxfork = 10}}};
  return server.run();
}
