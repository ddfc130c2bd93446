// hooked PORT [bare|empty|spelt]: `hello` in a preforked pool of one kid, to see that what does nothing costs nothing: without hooks
// but on_process, with all that a client passes by, empty, and with each option spelt out as it is by default.
#include "works.hpp"

#include <waiter/waiter.hpp>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace {

using bare = works::hello<waiter::prefork, waiter::plain>;

struct empty : waiter::basic_waiter<empty, waiter::prefork, waiter::plain> {
  using basic_waiter::basic_waiter;
  void on_process(client_type& client) { client.write(works::line); }

  void on_server_begin() {}
  void on_listen_ok() {}
  void on_accept_error(waiter::error_code) {}
  void on_accept_ok(client_type&) {}
  void on_fork_ok(pid_t) {}
  void on_child_start() {}
  void on_child_overtime() {}
  void on_close(client_type&) {}
  void on_child_exit() {}
  void on_sig_child(pid_t, int) {}
  void on_sig_hup() {}
  void on_sig_usr1() {}
  void on_sig_usr2() {}
  void on_child_sig_hup() {}
  void on_child_sig_usr1() {}
  void on_child_sig_usr2() {}
  void on_server_close() {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  bare::options all{.port = static_cast<std::uint16_t>(std::atoi(argv[1])), .address = "127.0.0.1", .fork = {.prefork = -1}};
  const std::string_view which = argv[2];
  if (which == "empty") return empty(std::move(all)).run();
  if (which == "spelt") {
    using std::chrono::milliseconds;
    all.backlog = 0;
    all.timeout = milliseconds(4000);
    all.grace = milliseconds(8000);
    all.prop_sigusr = false;
    all.debug = false;
    all.io_timeout = milliseconds(60000);
    all.client_timeout = waiter::never;
    all.min_rate = 0;
    all.max_handshakes = 0;
    all.linger = milliseconds(2000);
    all.fork.px_idle = milliseconds(31000);
    all.fork.soft_limit = waiter::never;
    all.fork.hard_limit = waiter::never;
    all.fork.allow_threads = false;
  }
  return bare(std::move(all)).run();
}
