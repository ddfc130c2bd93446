#ifndef WAITER_HOOK_HPP
#define WAITER_HOOK_HPP

namespace waiter {

/// The hooks a handler may define, in their order of life. Which process calls each, and when, stands in `docs/hooks.md`.
enum class hook {
  on_server_begin,
  on_listen_ok,
  on_accept_error,
  on_accept_ok,
  on_maxforked,
  on_fork_ok,
  on_child_start,
  on_ssl_error,
  on_process,
  on_child_overtime,
  on_exception,
  on_close,
  on_child_exit,
  on_forking_idle,
  on_prefork_child_idle,
  on_sig_child,
  on_sig_hup,
  on_sig_usr1,
  on_sig_usr2,
  on_child_sig_hup,
  on_child_sig_usr1,
  on_child_sig_usr2,
  on_reload,
  on_upgrade_failed,
  on_server_close,
};

/// A set of hooks. A handler states its own with `using implements = waiter::hooks<waiter::hook::on_process, …>`, and is then
/// held to exactly these; a fork policy states with `using runs` which ones it will call.
template <hook... Members>
struct hooks {
  template <hook Candidate>
  static constexpr bool contains = ((Candidate == Members) || ...);
};

}  // namespace waiter

#endif
