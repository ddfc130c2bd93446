#ifndef WAITER_SYSTEM_SAFE_POINT_HPP
#define WAITER_SYSTEM_SAFE_POINT_HPP

namespace waiter::system {

/// What a wait calls when a signal has ended it: there the hooks of the signals run, outside of every handler.
///
/// Empty, it does nothing. Where hooks may not run (inside another signal's hook), `open()` is false, and a wait is then not
/// ended by signals.
class safe_point {
 public:
  safe_point() = default;

  /// `server.run_signal_hooks()` and `server.may_run_signal_hooks()` are called; `server` outlives the safe point.
  template <class Server>
    requires requires(Server& server) { server.run_signal_hooks(), server.may_run_signal_hooks(); }
  explicit safe_point(Server& server) noexcept
      : server_(&server),
        run_([](void* one) { static_cast<Server*>(one)->run_signal_hooks(); }),
        may_run_([](void* one) { return static_cast<Server*>(one)->may_run_signal_hooks(); }) {}

  bool open() const { return server_ != nullptr && may_run_(server_); }
  void operator()() const { run_(server_); }

 private:
  void* server_ = nullptr;
  void (*run_)(void*) = nullptr;
  bool (*may_run_)(void*) = nullptr;
};

}  // namespace waiter::system

#endif
