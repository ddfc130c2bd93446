#ifndef WAITER_CONTRACT_NEAR_MISS_HPP
#define WAITER_CONTRACT_NEAR_MISS_HPP

#include <waiter/contract/hook_access.hpp>

namespace waiter {

/// Members that were meant to be hooks. The language cannot list what a class has, so this is a list of what people write.
///
/// `misspelt`: a name nobody means, refused whatever it is. `ownable`: a name that may well be a handler's own business; it is
/// refused only when it could be called as the hook, the hook itself is missing, the fork policy would run it, and the handler
/// does not state what it `implements`. `another`: one of these again, for another hook that may be meant.
class hook_access::near_misses {
#define WAITER_NEAR_MISSES(misspelt, ownable, another)                                                                           \
  misspelt(on_server_start, on_server_begin) misspelt(on_server_started, on_server_begin)                                        \
  misspelt(on_server_begins, on_server_begin) misspelt(on_server_began, on_server_begin)                                         \
  misspelt(on_server_init, on_server_begin) misspelt(on_begin_server, on_server_begin)                                           \
  misspelt(on_start_server, on_server_begin) misspelt(onServerBegin, on_server_begin) misspelt(onServerStart, on_server_begin)   \
  ownable(on_begin, on_server_begin) ownable(on_start, on_server_begin)                                                          \
  misspelt(on_listen, on_listen_ok) misspelt(on_listening, on_listen_ok) misspelt(on_listened, on_listen_ok)                     \
  misspelt(on_listens, on_listen_ok) misspelt(on_listenok, on_listen_ok) misspelt(on_listen_okay, on_listen_ok)                  \
  misspelt(onListen, on_listen_ok) misspelt(onListenOk, on_listen_ok) misspelt(onListenOK, on_listen_ok)                         \
  misspelt(onListening, on_listen_ok)                                                                                            \
  misspelt(on_accept_err, on_accept_error) misspelt(on_accept_errors, on_accept_error)                                           \
  misspelt(on_accept_fail, on_accept_error) misspelt(on_accept_failed, on_accept_error)                                          \
  misspelt(on_accept_failure, on_accept_error) misspelt(on_accepterror, on_accept_error)                                         \
  misspelt(onAcceptError, on_accept_error)                                                                                       \
  misspelt(on_accept, on_accept_ok) misspelt(on_accepted, on_accept_ok) misspelt(on_accepts, on_accept_ok)                       \
  misspelt(on_acceptok, on_accept_ok) misspelt(on_accept_okay, on_accept_ok) misspelt(on_accept_success, on_accept_ok)           \
  misspelt(onAccept, on_accept_ok) misspelt(onAccepted, on_accept_ok) misspelt(onAcceptOk, on_accept_ok)                         \
  misspelt(onAcceptOK, on_accept_ok)                                                                                             \
  ownable(on_connect, on_accept_ok) ownable(on_connected, on_accept_ok) ownable(on_connection, on_accept_ok)                     \
  ownable(on_client, on_accept_ok) ownable(on_client_connect, on_accept_ok) ownable(on_client_connected, on_accept_ok)           \
  ownable(on_new_client, on_accept_ok) ownable(on_open, on_accept_ok)                                                            \
  misspelt(on_max_forked, on_maxforked) misspelt(on_maxfork, on_maxforked) misspelt(on_max_fork, on_maxforked)                   \
  misspelt(on_maxforks, on_maxforked) misspelt(on_max_forks, on_maxforked) misspelt(on_forked_max, on_maxforked)                 \
  misspelt(on_fork_max, on_maxforked) misspelt(onMaxfork, on_maxforked) misspelt(onMaxFork, on_maxforked)                        \
  misspelt(onMaxforked, on_maxforked) misspelt(onMaxForked, on_maxforked)                                                        \
  misspelt(on_fork, on_fork_ok) misspelt(on_forks, on_fork_ok) misspelt(on_forked, on_fork_ok) misspelt(on_forkok, on_fork_ok)   \
  misspelt(on_fork_okay, on_fork_ok) misspelt(on_fork_success, on_fork_ok) misspelt(onFork, on_fork_ok)                          \
  misspelt(onForked, on_fork_ok) misspelt(onForkOk, on_fork_ok) misspelt(onForkOK, on_fork_ok)                                   \
  misspelt(on_child_starts, on_child_start) misspelt(on_child_started, on_child_start)                                           \
  misspelt(on_child_begin, on_child_start) misspelt(on_child_begins, on_child_start) misspelt(on_child_began, on_child_start)    \
  misspelt(on_child_init, on_child_start) misspelt(on_start_child, on_child_start) misspelt(on_kid_start, on_child_start)        \
  misspelt(on_kid_begin, on_child_start) misspelt(onChildStart, on_child_start) misspelt(onChildBegin, on_child_start)           \
  misspelt(onKidStart, on_child_start)                                                                                           \
  misspelt(on_sslerror, on_ssl_error) misspelt(on_ssl_err, on_ssl_error) misspelt(on_ssl_errors, on_ssl_error)                   \
  misspelt(on_ssl_fail, on_ssl_error) misspelt(on_ssl_failed, on_ssl_error) misspelt(on_ssl_failure, on_ssl_error)               \
  misspelt(on_tls_error, on_ssl_error) misspelt(on_tls_err, on_ssl_error) misspelt(on_tls_failed, on_ssl_error)                  \
  misspelt(on_tls_failure, on_ssl_error) misspelt(on_handshake_error, on_ssl_error)                                              \
  misspelt(on_handshake_failed, on_ssl_error) misspelt(onSslError, on_ssl_error) misspelt(onSSLError, on_ssl_error)              \
  misspelt(onTlsError, on_ssl_error) misspelt(onTLSError, on_ssl_error)                                                          \
  misspelt(on_proces, on_process) misspelt(on_processs, on_process) misspelt(on_proccess, on_process)                            \
  misspelt(on_procces, on_process) misspelt(on_porcess, on_process) misspelt(on_prcess, on_process)                              \
  misspelt(onProcess, on_process) misspelt(onProces, on_process)                                                                 \
  misspelt(on_overtime, on_child_overtime) misspelt(on_child_over_time, on_child_overtime)                                       \
  misspelt(on_kid_overtime, on_child_overtime) misspelt(onChildOvertime, on_child_overtime)                                      \
  ownable(on_processing, on_process) ownable(on_process_client, on_process) ownable(on_request, on_process)                      \
  ownable(on_handle, on_process) ownable(on_handle_client, on_process) ownable(on_handler, on_process)                           \
  ownable(on_serve, on_process) ownable(on_serve_client, on_process) ownable(on_work, on_process)                                \
  ownable(onRequest, on_process) ownable(onHandle, on_process)                                                                   \
  misspelt(on_exceptions, on_exception) misspelt(on_except, on_exception) misspelt(on_exepction, on_exception)                   \
  misspelt(on_exeption, on_exception) misspelt(on_excepton, on_exception) misspelt(on_execption, on_exception)                   \
  misspelt(on_expection, on_exception) misspelt(on_excpetion, on_exception) misspelt(onException, on_exception)                  \
  misspelt(onExceptions, on_exception)                                                                                           \
  ownable(on_error, on_exception)                                                                                                \
  misspelt(on_closed, on_close) misspelt(on_closes, on_close) misspelt(on_closing, on_close)                                     \
  misspelt(on_client_close, on_close) misspelt(on_client_closed, on_close) misspelt(on_close_client, on_close)                   \
  misspelt(onClose, on_close) misspelt(onClosed, on_close) misspelt(onClientClose, on_close)                                     \
  ownable(on_disconnect, on_close) ownable(on_disconnected, on_close) ownable(on_client_disconnect, on_close)                    \
  ownable(on_client_disconnected, on_close)                                                                                      \
  misspelt(on_child_exits, on_child_exit) misspelt(on_child_exited, on_child_exit) misspelt(on_child_end, on_child_exit)         \
  misspelt(on_child_ends, on_child_exit) misspelt(on_child_ended, on_child_exit) misspelt(on_child_stop, on_child_exit)          \
  misspelt(on_child_stopped, on_child_exit) misspelt(on_child_finish, on_child_exit) misspelt(on_exit_child, on_child_exit)      \
  misspelt(on_kid_exit, on_child_exit) misspelt(on_kid_end, on_child_exit) misspelt(onChildExit, on_child_exit)                  \
  misspelt(onChildEnd, on_child_exit) misspelt(onKidExit, on_child_exit)                                                         \
  ownable(on_exit, on_child_exit)                                                                                                \
  misspelt(on_forkingidle, on_forking_idle) misspelt(on_forkidle, on_forking_idle) misspelt(on_fork_idle, on_forking_idle)       \
  misspelt(on_forked_idle, on_forking_idle) misspelt(on_nofork_idle, on_forking_idle)                                            \
  misspelt(on_parent_idle, on_forking_idle) misspelt(onForkingIdle, on_forking_idle)                                             \
  ownable(on_idle, on_forking_idle)                                                                                              \
  misspelt(on_prefork_idle, on_prefork_child_idle) misspelt(on_preforked_idle, on_prefork_child_idle)                            \
  misspelt(on_preforking_idle, on_prefork_child_idle) misspelt(on_preforked_child_idle, on_prefork_child_idle)                   \
  misspelt(on_prefork_childidle, on_prefork_child_idle) misspelt(on_prefork_kid_idle, on_prefork_child_idle)                     \
  misspelt(on_child_idle, on_prefork_child_idle) misspelt(on_kid_idle, on_prefork_child_idle)                                    \
  misspelt(onPreforkChildIdle, on_prefork_child_idle) misspelt(onPreforkIdle, on_prefork_child_idle)                             \
  misspelt(onChildIdle, on_prefork_child_idle)                                                                                   \
  another(on_idle, on_prefork_child_idle)                                                                                        \
  misspelt(on_sig_chld, on_sig_child) misspelt(on_sigchld, on_sig_child) misspelt(on_sigchild, on_sig_child)                     \
  misspelt(on_sig_cld, on_sig_child) misspelt(on_sigcld, on_sig_child) misspelt(on_sig_children, on_sig_child)                   \
  misspelt(on_sig_kid, on_sig_child) misspelt(on_signal_child, on_sig_child) misspelt(on_signal_chld, on_sig_child)              \
  misspelt(onSigChild, on_sig_child) misspelt(onSigChld, on_sig_child)                                                           \
  misspelt(on_sighup, on_sig_hup) misspelt(on_signal_hup, on_sig_hup) misspelt(onSigHup, on_sig_hup)                             \
  misspelt(onSighup, on_sig_hup) misspelt(onSigHUP, on_sig_hup)                                                                  \
  ownable(on_hup, on_sig_hup)                                                                                                    \
  misspelt(on_sigusr1, on_sig_usr1) misspelt(on_signal_usr1, on_sig_usr1) misspelt(on_sig_user1, on_sig_usr1)                    \
  misspelt(on_sig_usr_1, on_sig_usr1) misspelt(onSigUsr1, on_sig_usr1) misspelt(onSigusr1, on_sig_usr1)                          \
  misspelt(onSigUSR1, on_sig_usr1)                                                                                               \
  ownable(on_usr1, on_sig_usr1)                                                                                                  \
  misspelt(on_sigusr2, on_sig_usr2) misspelt(on_signal_usr2, on_sig_usr2) misspelt(on_sig_user2, on_sig_usr2)                    \
  misspelt(on_sig_usr_2, on_sig_usr2) misspelt(onSigUsr2, on_sig_usr2) misspelt(onSigusr2, on_sig_usr2)                          \
  misspelt(onSigUSR2, on_sig_usr2)                                                                                               \
  ownable(on_usr2, on_sig_usr2)                                                                                                  \
  misspelt(on_child_sighup, on_child_sig_hup) misspelt(on_child_signal_hup, on_child_sig_hup)                                    \
  misspelt(on_child_hup, on_child_sig_hup) misspelt(on_sig_child_hup, on_child_sig_hup)                                          \
  misspelt(on_kid_sig_hup, on_child_sig_hup) misspelt(onChildSigHup, on_child_sig_hup)                                           \
  misspelt(onChildSighup, on_child_sig_hup)                                                                                      \
  misspelt(on_child_sigusr1, on_child_sig_usr1) misspelt(on_child_signal_usr1, on_child_sig_usr1)                                \
  misspelt(on_child_sig_user1, on_child_sig_usr1) misspelt(on_child_usr1, on_child_sig_usr1)                                     \
  misspelt(on_sig_child_usr1, on_child_sig_usr1) misspelt(on_kid_sig_usr1, on_child_sig_usr1)                                    \
  misspelt(onChildSigUsr1, on_child_sig_usr1) misspelt(onChildSigusr1, on_child_sig_usr1)                                        \
  misspelt(on_child_sigusr2, on_child_sig_usr2) misspelt(on_child_signal_usr2, on_child_sig_usr2)                                \
  misspelt(on_child_sig_user2, on_child_sig_usr2) misspelt(on_child_usr2, on_child_sig_usr2)                                     \
  misspelt(on_sig_child_usr2, on_child_sig_usr2) misspelt(on_kid_sig_usr2, on_child_sig_usr2)                                    \
  misspelt(onChildSigUsr2, on_child_sig_usr2) misspelt(onChildSigusr2, on_child_sig_usr2)                                        \
  misspelt(on_reloaded, on_reload) misspelt(on_reloads, on_reload) misspelt(on_reload_ok, on_reload)                             \
  misspelt(on_reload_config, on_reload) misspelt(on_server_reload, on_reload) misspelt(on_re_load, on_reload)                    \
  misspelt(on_sig_reload, on_reload) misspelt(onReload, on_reload)                                                               \
  ownable(on_reconfigure, on_reload) ownable(on_reload_settings, on_reload)                                                      \
  misspelt(on_upgrade_fail, on_upgrade_failed) misspelt(on_upgrade_fails, on_upgrade_failed)                                     \
  misspelt(on_upgrade_failure, on_upgrade_failed) misspelt(on_upgrade_error, on_upgrade_failed)                                  \
  misspelt(on_failed_upgrade, on_upgrade_failed) misspelt(onUpgradeFailed, on_upgrade_failed)                                    \
  misspelt(on_server_closed, on_server_close) misspelt(on_server_closes, on_server_close)                                        \
  misspelt(on_server_closing, on_server_close) misspelt(on_server_stop, on_server_close)                                         \
  misspelt(on_server_stopped, on_server_close) misspelt(on_server_stops, on_server_close)                                        \
  misspelt(on_server_end, on_server_close) misspelt(on_server_ended, on_server_close)                                            \
  misspelt(on_server_exit, on_server_close) misspelt(on_server_finish, on_server_close)                                          \
  misspelt(on_server_shutdown, on_server_close) misspelt(on_close_server, on_server_close)                                       \
  misspelt(on_stop_server, on_server_close) misspelt(on_sig_term, on_server_close) misspelt(on_sigterm, on_server_close)         \
  misspelt(on_sig_int, on_server_close) misspelt(on_sigint, on_server_close) misspelt(onServerClose, on_server_close)            \
  misspelt(onServerStop, on_server_close) misspelt(onServerEnd, on_server_close) misspelt(onSigTerm, on_server_close)            \
  misspelt(onSigInt, on_server_close)                                                                                            \
  ownable(on_stop, on_server_close) ownable(on_shutdown, on_server_close) ownable(on_end, on_server_close)                       \
  ownable(on_finish, on_server_close)

#define WAITER_LEFT_OUT(name, meant)
  struct decoy {
#define WAITER_NAME(name, meant) int name;
    WAITER_NEAR_MISSES(WAITER_NAME, WAITER_NAME, WAITER_LEFT_OUT)
#undef WAITER_NAME
  };

  template <class Handler>
  struct probe : open<Handler>, decoy {};

  /// None of the names is there, which is all that is asked of most handlers, and quickly.
  template <class Handler>
  static constexpr bool none = requires {
#define WAITER_NAME(name, meant) &probe<Handler>::name;
    WAITER_NEAR_MISSES(WAITER_NAME, WAITER_NAME, WAITER_LEFT_OUT)
#undef WAITER_NAME
  };
#undef WAITER_LEFT_OUT

  template <class Documented>
  struct like {};

  /// The hook is not there though the fork policy would run it, and the handler does not say that this is on purpose.
  template <hook Meant, class Handler, class Runs>
  static constexpr bool missed = Runs::template contains<Meant> && !named<Meant, Handler> && !implements<Handler>::named;

#define WAITER_HAS_MISSPELT(name) (!requires { &probe<Handler>::name; })
#define WAITER_HAS_OWNABLE(name, meant)                                                                                          \
  (missed<hook::meant, Handler, Runs> && []<class... Parameters>(like<void(Parameters...)>) {                                    \
    return requires(Handler& handler, Parameters&&... parameters) { handler.name(std::forward<Parameters>(parameters)...); };    \
  }(like<documented<hook::meant, Handler, Client>>()))

 public:
  /// The handler has a member that seems to mean this hook.
  template <hook Meant, class Handler, class Client, class Runs>
  static constexpr bool any = false
#define WAITER_MISSPELT(name, meant) || (hook::meant == Meant && WAITER_HAS_MISSPELT(name))
#define WAITER_OWNABLE(name, meant) || (hook::meant == Meant && WAITER_HAS_OWNABLE(name, meant))
      WAITER_NEAR_MISSES(WAITER_MISSPELT, WAITER_OWNABLE, WAITER_OWNABLE);
#undef WAITER_MISSPELT
#undef WAITER_OWNABLE

  /// One sentence for each of them.
  template <class Handler, class Client, class Runs>
  static constexpr void explain() {
#define WAITER_MISSPELT(name, meant)                                                                                             \
  {                                                                                                                              \
    constexpr bool absent = !WAITER_HAS_MISSPELT(name);                                                                          \
    static_assert(absent, "waiter: the handler has `" #name "`, which is no hook: did you mean `" #meant "`? See docs/hooks.md");\
  }
#define WAITER_OWNABLE(name, meant)                                                                                              \
  {                                                                                                                              \
    constexpr bool absent = !WAITER_HAS_OWNABLE(name, meant);                                                                    \
    static_assert(absent, "waiter: nothing calls the handler's `" #name "`: did you mean `" #meant                               \
                          "`? If it is your own, state what the handler `implements`. See docs/hooks.md");                       \
  }
    if constexpr (!none<Handler>) {
      WAITER_NEAR_MISSES(WAITER_MISSPELT, WAITER_OWNABLE, WAITER_OWNABLE)
    }
#undef WAITER_MISSPELT
#undef WAITER_OWNABLE
  }
};

#undef WAITER_HAS_MISSPELT
#undef WAITER_HAS_OWNABLE
#undef WAITER_NEAR_MISSES

}  // namespace waiter

#endif
