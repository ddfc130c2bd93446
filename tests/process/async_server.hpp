// A server of event loops: coroutines that answer each line, and tell the test what happens to each client.
#ifndef WAITER_TESTS_PROCESS_ASYNC_SERVER_HPP
#define WAITER_TESTS_PROCESS_ASYNC_SERVER_HPP

#include "forked.hpp"

#include "support/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

namespace process_test {

namespace asio = boost::asio;

/// Lines a client may send: "pid" is answered by the process that serves, "counts" by what get_busy_kids_count() says, "throw" is an
/// exception, "sleep" a wait for something else than the client, "spawn" a coroutine beside it that only its end can end, "stubborn" a
/// coroutine that will not be cancelled, "until stop" a wait for the stop; "quit" is the end, and the kid's with "enough". Anything else is
/// sent back.
template <class ForkPolicy, class TransportPolicy>
struct async_server : waiter::basic_waiter<async_server<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy> {
  using base = waiter::basic_waiter<async_server, ForkPolicy, TransportPolicy>;
  using client_type = typename base::client_type;
  using options = typename base::options;

  async_server(const teller& how, options settings) : base(std::move(settings)), tell(how) {}

  void on_listen_ok() { tell("port ", this->get_port()); }
  void on_accept_ok(client_type& client) { tell("accepted ", client.peer().port()); }
  void on_exception(std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& failure) {
      tell("failed ", failure.what());
    } catch (...) {
      tell("failed");
    }
  }

  asio::awaitable<bool> on_process(client_type& client) {
    const alive in_here{tell, "process"};
    while (const auto line = co_await client.read_line()) {
      if (*line == "quit") break;
      if (*line == "enough") co_return false;
      if (*line == "throw") throw 42;
      if (*line == "spawn") client.spawn(beside());
      if (*line == "sleep") co_await asio::steady_timer(client.get_executor(), std::chrono::hours(1)).async_wait(asio::use_awaitable);
      if (*line == "until stop") {
        co_await client.write("waiting\n");
        co_await client.async_stop(asio::use_awaitable);
        co_await client.write("goodbye\n");
        break;
      }
      co_await client.write(answer(*line) + "\n");
    }
    co_return true;
  }

  asio::awaitable<void> on_close(client_type& client) {
    tell("closes ", client.peer().port(), " ", client.is_open() ? "open" : "closed");
    co_return;
  }
  void on_server_close() { tell("server closed"); }

 private:
  struct alive {
    const teller& tell;
    const char* what;
    ~alive() { tell("left ", what); }
  };

  std::string answer(const std::string& line) const {
    if (line == "pid") return std::to_string(::getpid());
    const auto [busy, all] = this->get_busy_kids_count();
    return line == "counts" ? std::to_string(busy) + " of " + std::to_string(all) : line;
  }

  asio::awaitable<void> beside() {
    const alive in_here{tell, "spawned"};
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await timer.async_wait(asio::use_awaitable);
  }

  const teller& tell;
};

/// Sends a line and reads the answer, without its end.
inline std::string ask(support::client& client, std::string_view line) {
  if (!client.send(std::string(line) + "\n")) return "";
  auto answer = client.read_line();
  if (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

}  // namespace process_test

#endif
