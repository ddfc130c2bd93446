#ifndef WAITER_HOOK_NAME_HPP
#define WAITER_HOOK_NAME_HPP

#include <waiter/hook.hpp>

#include <string_view>

namespace waiter {

/// The name of a hook as a handler writes it: "on_process". Empty for a value that is no hook.
constexpr std::string_view name_of(hook which) noexcept {
  switch (which) {
    case hook::on_server_begin: return "on_server_begin";
    case hook::on_listen_ok: return "on_listen_ok";
    case hook::on_accept_error: return "on_accept_error";
    case hook::on_accept_ok: return "on_accept_ok";
    case hook::on_maxforked: return "on_maxforked";
    case hook::on_fork_ok: return "on_fork_ok";
    case hook::on_child_start: return "on_child_start";
    case hook::on_ssl_error: return "on_ssl_error";
    case hook::on_process: return "on_process";
    case hook::on_child_overtime: return "on_child_overtime";
    case hook::on_exception: return "on_exception";
    case hook::on_close: return "on_close";
    case hook::on_child_exit: return "on_child_exit";
    case hook::on_forking_idle: return "on_forking_idle";
    case hook::on_prefork_child_idle: return "on_prefork_child_idle";
    case hook::on_sig_child: return "on_sig_child";
    case hook::on_sig_hup: return "on_sig_hup";
    case hook::on_sig_usr1: return "on_sig_usr1";
    case hook::on_sig_usr2: return "on_sig_usr2";
    case hook::on_child_sig_hup: return "on_child_sig_hup";
    case hook::on_child_sig_usr1: return "on_child_sig_usr1";
    case hook::on_child_sig_usr2: return "on_child_sig_usr2";
    case hook::on_reload: return "on_reload";
    case hook::on_upgrade_failed: return "on_upgrade_failed";
    case hook::on_server_close: return "on_server_close";
  }
  return {};
}

}  // namespace waiter

#endif
