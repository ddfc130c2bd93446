#ifndef WAITER_FORK_NOFORK_HPP
#define WAITER_FORK_NOFORK_HPP

#include <waiter/census.hpp>
#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/server/many_clients.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/own_children.hpp>

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
    host.hooks().mind_children(true);
    while (auto accepted = host.template next_client<hook::on_forking_idle>([] {})) attend_minding(host, std::move(*accepted));
    host.close_door();
    while (auto accepted = host.last_client()) attend_minding(host, std::move(*accepted));
    host.lock_door();
    host.hooks().mind_children(false);
  }

  /// After SIGCHLD, outside of hooks: there are no kids, so who has ended is the program's child or, in process 1, an orphan.
  template <class Host>
  void child_has_ended(Host& host) noexcept {
    host.hooks().reap_orphans([](pid_t) { return false; });
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
  // on_process may start children, too, and may have been interrupted by the end of another one.
  template <class Host>
  void attend_minding(Host& host, system::accepted&& accepted) {
    auto* const children = host.hooks().minded_children();
    if (children == nullptr) [[likely]] return attend(host, std::move(accepted));
    {
      const system::own_children::births births(*children);
      attend(host, std::move(accepted));
    }
    if (host.take_kid_has_ended()) child_has_ended(host);
  }

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
