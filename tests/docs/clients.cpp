// What docs/ shows of clients.
#include <waiter/waiter.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

struct conversation : waiter::basic_waiter<conversation> {
  using basic_waiter::basic_waiter;

  void on_process(client_type& client) {
    client.expires_after(30s);  // for all that follows
    with_errors(client);
    with_stream(client);
    with_asio(client);
  }

  static void with_errors(client_type& client) {
    waiter::error_code error;
    while (const auto line = client.read_line(1000, error)) client.write(*line + "\n");
    if (error == waiter::error::line_too_long) client.write("that line is too long for me\n");
  }

  static void with_stream(client_type& client) {
    std::string name;
    client.stream() << "who are you? ";
    client.stream() >> name;  // the question is sent before this waits
    client.stream() << "hello " << name << '\n';
  }

  static void with_asio(client_type& client) {
    std::string head;
    boost::asio::read_until(client, boost::asio::dynamic_buffer(head, 8192), "\r\n\r\n");
    boost::asio::write(client, boost::asio::buffer("HTTP/1.1 204 No Content\r\n\r\n", 27));
  }
};

int main() {
  conversation server{{.address = "none"}};
  return server.run() == waiter::exit_not_listening ? 0 : 1;
}
