// Serves a web page that shows its own pool of processes. HTTP is Boost.Beast's: a client is a stream as Asio knows it, so what
// reads and writes such streams takes it as it is.
//
//   $ 5_http 9123 &                     5_http [PORT]
//   $ curl localhost:9123/status.json
//   {"pid": 4711, "busy": 1, "kids": 8, "clients": 1, "requests": 1, "uptime": 3}
//
// And with a browser: http://localhost:9123/
#include "support/pool_page.hpp"
#include "support/port.hpp"

#include <waiter/waiter.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
namespace http = boost::beast::http;

class pool_site : public waiter::basic_waiter<pool_site, waiter::prefork, waiter::plain> {
 public:
  using basic_waiter::basic_waiter;

  void on_listen_ok() { log("listening on port ", get_port()); }

  void on_process(client_type& client) {
    ++clients_;  // each kid has a handler of its own: it counts its own clients
    unsigned requests = 0;
    boost::beast::flat_buffer buffer;
    for (bool stay = true; stay;) {
      // For a whole request, however slowly it trickles in. It is short, because a browser that keeps a connection keeps a kid.
      client.expires_after(5s);
      http::request_parser<http::string_body> parser;
      parser.header_limit(8192);
      parser.body_limit(8192);
      waiter::error_code error;
      http::read(client, buffer, parser, error);
      client.expires_after(10s);
      if (error) {
        // What is wrong with the request is worth an answer; a client that has gone or is silent is not.
        if (error.category() == http::make_error_code(http::error::end_of_stream).category() &&
            error != http::error::end_of_stream)
          http::write(client, complaint(error));
        return;
      }
      const auto& request = parser.get();
      stay = request.keep_alive() && !scarce();
      auto response = answer(request, ++requests);
      response.keep_alive(stay);
      http::write(client, response);
    }
  }

 private:
  using request_type = http::request<http::string_body>;
  using response_type = http::response<http::string_body>;

  response_type answer(const request_type& request, unsigned requests) const {
    const std::string_view target(request.target().data(), request.target().size());
    const std::string_view path = target.substr(0, target.find('?'));
    const bool only_head = request.method() == http::verb::head;
    if (request.method() != http::verb::get && !only_head) {
      auto response = make(http::status::method_not_allowed, "text/plain", "Only GET and HEAD are served here.\n");
      response.set(http::field::allow, "GET, HEAD");
      return response;
    }
    auto response = path == "/"              ? make(http::status::ok, "text/html; charset=utf-8", to_html(look(requests)))
                    : path == "/status.json" ? make(http::status::ok, "application/json", to_json(look(requests)))
                                             : make(http::status::not_found, "text/plain", "There is nothing of this name.\n");
    if (only_head) response.body().clear();  // Content-Length stays that of GET
    return response;
  }

  static response_type complaint(const waiter::error_code& error) {
    auto status = http::status::bad_request;
    if (error == http::error::header_limit) status = http::status::request_header_fields_too_large;
    if (error == http::error::body_limit) status = http::status::payload_too_large;
    auto response = make(status, "text/plain", "That is no request I can answer: " + error.message() + ".\n");
    response.keep_alive(false);
    return response;
  }

  static response_type make(http::status status, const char* type, std::string body) {
    response_type response(status, 11, std::move(body));
    response.set(http::field::server, "waiter");
    response.set(http::field::content_type, type);
    response.set(http::field::cache_control, "no-store");
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    response.prepare_payload();
    return response;
  }

  waiter_examples::pool_view look(unsigned requests) const {
    const auto [busy, kids] = get_busy_kids_count();
    const auto uptime = std::chrono::steady_clock::now() - started_;
    return {::getpid(), busy, kids, clients_, requests, std::chrono::duration_cast<std::chrono::seconds>(uptime)};
  }

  // Nobody is idle: then a client that only might ask again must not keep a kid from one who does.
  bool scarce() const {
    const auto [busy, kids] = get_busy_kids_count();
    return busy >= kids;
  }

  unsigned clients_ = 0;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

int main(int count, char** arguments) {
  const auto port = waiter_examples::to_port(count > 1 ? arguments[1] : "9123");
  if (!port || count > 2) {
    std::cerr << "usage: 5_http [PORT], where PORT is 0 to 65535\n";
    return 2;
  }
  pool_site server{{.port = *port, .fork = {.prefork = 8, .maxfork = 64}}};
  return server.run();
}
