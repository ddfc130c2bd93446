// A room in which all hear each other: many clients in one process, served by coroutines.
//
//   $ 10_chat 9123 &                    10_chat [PORT]
//   $ socat - TCP:localhost:9123        (or nc, or telnet)
//   What is your name?
//   Ada
//   * Ada is here
//   hello
//   Ada: hello
//
// The room is memory of the one process, and no two coroutines run at the same time, so nothing is locked. Each client has two: one reads,
// the other writes what is said, so that a client who is slow to read holds up nobody; who lags behind too far misses something.
#include "support/port.hpp"

#include <waiter/async.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <deque>
#include <iostream>
#include <memory>
#include <set>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct chat : waiter::basic_waiter<chat, waiter::nofork, waiter::async<waiter::plain>> {
  using basic_waiter::basic_waiter;

  void on_listen_ok() { log("listening on port ", get_port()); }

  asio::awaitable<void> on_process(client_type& client) {
    co_await client.write("What is your name?\n");
    const auto name = co_await client.read_line(40);
    if (!name || name->empty()) co_return;

    const auto me = std::make_shared<listener>(client.get_executor());
    const seat in_room(*this, me);
    client.spawn(tell(client, me));
    say("* " + *name + " is here\n");
    try {
      while (const auto line = co_await client.read_line(1000)) say(*name + ": " + *line + "\n");
    } catch (const waiter::system_error& gone) {
      log_debug(*name, ": ", gone.what());
    }
    say("* " + *name + " has left\n");
  }

 private:
  /// What a client has not been told yet, and a timer that is cancelled when there is something.
  struct listener {
    explicit listener(const asio::any_io_executor& executor) : news(executor, asio::steady_timer::time_point::max()) {}
    std::deque<std::string> untold{};
    asio::steady_timer news;
  };

  /// In the room as long as it lives.
  struct seat {
    seat(chat& where, std::shared_ptr<listener> of) : room(where), who(std::move(of)) { room.listeners_.insert(who); }
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;
    ~seat() { room.listeners_.erase(who); }
    chat& room;
    std::shared_ptr<listener> who;
  };

  void say(const std::string& words) {
    for (const auto& one : listeners_) {
      if (one->untold.size() == most_untold) one->untold.pop_front();
      one->untold.push_back(words);
      one->news.cancel();
    }
  }

  // Runs beside on_process, and ends with it.
  static asio::awaitable<void> tell(client_type& client, std::shared_ptr<listener> me) {
    for (;;) {
      waiter::error_code news;
      if (me->untold.empty()) co_await me->news.async_wait(asio::redirect_error(asio::use_awaitable, news));
      while (!me->untold.empty()) {
        const auto words = std::move(me->untold.front());
        me->untold.pop_front();
        co_await client.write(words);
      }
    }
  }

  static constexpr std::size_t most_untold = 100;
  std::set<std::shared_ptr<listener>> listeners_{};
};

int main(int count, char** arguments) {
  const auto port = waiter_examples::to_port(count > 1 ? arguments[1] : "9123");
  if (!port || count > 2) {
    std::cerr << "usage: 10_chat [PORT], where PORT is 0 to 65535\n";
    return 2;
  }
  chat server{{.port = *port, .grace = 1s, .io_timeout = 600s, .transport = {.max_clients = 10000}}};
  return server.run();
}
