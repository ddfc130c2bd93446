// What docs/contracts.md shows: a fork policy and a transport that are not ours. It serves two clients of its own, so both work.
#include <waiter/waiter.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

/// Serves so many clients in this process, one after the other, then stops.
class a_few {
 public:
  struct options {
    int clients = 1;
  };
  static constexpr std::string_view name = "a_few";
  using runs = waiter::hooks<waiter::hook::on_server_begin, waiter::hook::on_listen_ok, waiter::hook::on_accept_error,
                             waiter::hook::on_accept_ok, waiter::hook::on_ssl_error, waiter::hook::on_process,
                             waiter::hook::on_exception, waiter::hook::on_close, waiter::hook::on_forking_idle,
                             waiter::hook::on_sig_hup, waiter::hook::on_sig_usr1, waiter::hook::on_sig_usr2,
                             waiter::hook::on_server_close>;

  std::optional<std::string> prepare(const options& settings) {
    if (settings.clients < 1) return "1 <= clients does not hold (.fork)";
    left_ = settings.clients;
    return std::nullopt;
  }

  template <class Host>
  void serve(Host& host) {
    host.template prepare_idle_hook<waiter::hook::on_forking_idle>();
    for (; left_ > 0; --left_) {
      auto accepted = host.template next_client<waiter::hook::on_forking_idle>([] {});
      if (!accepted) return;
      auto client = host.welcome(std::move(*accepted));
      if (host.greet(client))
        host.serve(client);
      else
        host.part(client);
    }
  }

  waiter::census count() const noexcept { return {}; }
  std::vector<pid_t> kid_pids() const { return {}; }
  void signal_kids(int) noexcept {}

 private:
  int left_ = 0;
};

/// A client over plain TCP that knows how many bytes it was sent.
class counting_client final : public waiter::connected_client<counting_client> {
 public:
  explicit counting_client(waiter::connection&& wire) noexcept : connected_client(std::move(wire)) {}

  std::size_t sent() const noexcept { return sent_; }

 private:
  friend class waiter::text_client<counting_client>;

  std::size_t receive(void* data, std::size_t size, waiter::error_code& error) { return wire().receive(data, size, error); }
  std::size_t transmit(const void* data, std::size_t size, waiter::error_code& error) {
    const std::size_t count = wire().transmit(data, size, error);
    sent_ += count;
    return count;
  }

  std::size_t sent_ = 0;
};

class counting {
 public:
  struct options {};
  using client_type = counting_client;
  static constexpr std::string_view name = "counting";
  static constexpr bool encrypted = false;

  std::optional<std::string> prepare(const options&) { return std::nullopt; }
  client_type welcome(waiter::connection&& wire) { return client_type(std::move(wire)); }
  std::optional<std::string> handshake(client_type&) { return std::nullopt; }
  void finish(client_type& client) { client.flush_stream(); }
};

static_assert(waiter::fork_policy<a_few> && waiter::transport_policy<counting>);

struct hello : waiter::basic_waiter<hello, a_few, counting> {
  using basic_waiter::basic_waiter;

  void on_process(client_type& client) { client.write("hello world\n"); }
  void on_close(client_type& client) { total += client.sent(); }

  // The clients: one after the other, so that the server finds both. It forks nobody, so it may have threads.
  void on_listen_ok() {
    visitors_.emplace_back([port = get_port()] {
      for (int time = 0; time < 2; ++time) {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        char scratch[64];
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0)
          while (::read(fd, scratch, sizeof scratch) > 0) {
          }
        ::close(fd);
      }
    });
  }
  void on_server_close() {
    for (auto& one : visitors_) one.join();
  }

  std::size_t total = 0;

 private:
  std::vector<std::thread> visitors_;
};

int main() {
  hello server{{.address = "127.0.0.1", .fork = {.clients = 2}}};
  return server.run() == 0 && server.total == 24 ? 0 : 1;
}
