#ifndef WAITER_FORK_NOFORK_HPP
#define WAITER_FORK_NOFORK_HPP

#include <waiter/census.hpp>
#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/server/many_clients.hpp>
#include <waiter/system/accepted.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waiter {

/// One process, one client at a time; the others wait in the kernel's queue.
class nofork {
 public:
  struct options {};

  static constexpr std::string_view name = "nofork";

  using runs = hooks<hook::on_server_begin, hook::on_listen_ok, hook::on_accept_error, hook::on_accept_ok, hook::on_child_start,
                     hook::on_ssl_error, hook::on_process, hook::on_exception, hook::on_close, hook::on_child_exit,
                     hook::on_forking_idle, hook::on_sig_hup, hook::on_sig_usr1, hook::on_sig_usr2, hook::on_reload,
                     hook::on_upgrade_failed, hook::on_server_close>;

  std::optional<std::string> prepare(const options&) { return std::nullopt; }

  template <class Host>
  void serve(Host& host) {
    if constexpr (Host::asynchronous) {
      all_at_once<Host> watch{{}, host};
      host.template serve_many<hook::on_forking_idle>(watch);
      host.lock_door();
      return;
    }
    host.template prepare_idle_hook<hook::on_forking_idle>();
    while (auto accepted = host.template next_client<hook::on_forking_idle>([] {})) attend(host, std::move(*accepted));
    host.close_door();
    while (auto accepted = host.last_client()) attend(host, std::move(*accepted));
    host.lock_door();
  }

  census count() const noexcept { return {}; }
  std::vector<pid_t> kid_pids() const { return {}; }
  void signal_kids(int) noexcept {}

  /// Serves one client in this process.
  template <class Host>
  static void attend(Host& host, system::accepted&& accepted) {
    auto client = host.welcome(std::move(accepted));
    if (!host.greet(client)) return host.part(client);
    host.play_child(true);
    if (host.template call<hook::on_child_start>())
      host.serve(client);
    else
      host.part(client);
    host.template call<hook::on_child_exit>();
    host.play_child(false);
  }

 private:
  // Clients of an event loop: the process is the child of each of them.
  template <class Host>
  struct all_at_once : many_clients {
    Host& host;

    bool begins() noexcept {
      host.play_child(true);
      return host.template call<hook::on_child_start>();
    }
    void ends() noexcept { host.template call<hook::on_child_exit>(); }
    void count(int clients, int in_handshake, bool takes_more) noexcept {
      many_clients::count(clients, in_handshake, takes_more);
      if (clients == 0) host.play_child(false);
    }
    void stops() noexcept { host.close_door(); }
  };
};

}  // namespace waiter

#endif
