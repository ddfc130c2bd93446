#ifndef WAITER_CONTRACT_HOOK_ACCESS_HPP
#define WAITER_CONTRACT_HOOK_ACCESS_HPP

#include <waiter/error.hpp>
#include <waiter/fwd.hpp>
#include <waiter/hook.hpp>
#include <waiter/hook_name.hpp>

#include <sys/types.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

namespace waiter {

namespace contract {
template <class Handler, class Base, class Client, class Runs>
constexpr void explain_handler();
}

/// Finds and calls the hooks of a handler; all of it is decided by the compiler. A handler may keep its hooks private, if it
/// says `friend waiter::hook_access;`.
class hook_access {
  template <hook Hook, class Handler>
  struct row;

  /// What a row asks for, with the client's type filled in: `void(client_type&)`, whatever the hook may return.
  template <hook Hook, class Handler, class Client>
  using documented = typename row<Hook, Handler>::template with<Client>::documented;

  template <hook Hook, class Handler, class Documented>
  struct binding;

  /// Hooks that get this client may be coroutines: it tells what these return.
  template <class Client>
  static constexpr bool has_coroutines = requires { typename Client::template coroutine<void>; };

  /// This hook waits for its client, and so it is a coroutine where clients have them.
  template <hook Hook, class Client>
  static constexpr bool awaitable = (Hook == hook::on_process || Hook == hook::on_close) && has_coroutines<Client>;

  class clauses;
  class near_misses;

  template <class Handler, class Base, class Client, class Runs>
  friend constexpr void contract::explain_handler();

 public:
  /// The handler has a member of this name, whatever it is: private, overloaded, a template, inherited.
  /// Always false where nothing can be looked into: a `final` handler, an incomplete one (`run()` refuses both).
  template <hook Hook, class Handler>
  static constexpr bool named = row<Hook, Handler>::named;

  /// The handler's hook can be called from here with these arguments.
  template <hook Hook, class Handler, class... Args>
  static constexpr bool callable = row<Hook, Handler>::template callable<Args...>;

  /// The handler's hook is as documented, what it returns included, so `call` will call it.
  template <hook Hook, class Handler, class Client>
  static constexpr bool bound = binding<Hook, Handler, documented<Hook, Handler, Client>>::bound;

  /// Calls the hook, with the arguments converted to the documented ones. A handler without it costs no instruction; one that
  /// has it misdeclared has been refused already, so nothing is called and nothing more is said.
  /// \return what the hook returns; `void` when there is none
  template <hook Hook, class Handler, class... Args>
  static constexpr decltype(auto) call(Handler& handler, Args&&... args) {
    using client = typename first<std::remove_reference_t<Args>..., void>::type;
    return binding<Hook, Handler, documented<Hook, Handler, client>>::call(handler, std::forward<Args>(args)...);
  }

  /// How many hooks there are.
  static constexpr std::size_t count = static_cast<std::size_t>(hook::on_server_close) + 1;

  /// The names that the handler uses, in order of life.
  template <class Handler>
  static constexpr auto names_in() {
    return names_in<Handler>(std::make_index_sequence<count>());
  }

 private:
  struct nothing {};

  /// A client's hook without a client would need `void&`, so a wrong call falls over here and not in silence.
  template <class First, class...>
  struct first {
    using type = std::conditional_t<std::is_void_v<First>, nothing, First>;
  };

  /// A probe may derive from it.
  template <class Handler>
  static constexpr bool is_open() {
    if constexpr (std::is_class_v<Handler> && requires { sizeof(Handler); })
      return !std::is_final_v<Handler>;
    else
      return false;
  }

  template <class Handler>
  using open = std::conditional_t<is_open<Handler>(), Handler, nothing>;

  template <class Stated>
  struct is_hooks : std::false_type {};
  template <hook... Members>
  struct is_hooks<hooks<Members...>> : std::true_type {};

  /// What the handler states with `using implements`.
  template <class Handler>
  struct implements {
    struct decoy {
      int implements;
    };
    struct probe : open<Handler>, decoy {};

    static constexpr bool named = !requires { &probe::implements; };
    static constexpr bool readable = requires { requires is_hooks<typename Handler::implements>::value; };
  };

// One row a hook: what it may return (in words), its name, its parameters.
//
// Its name is asked for apart from the call: `&probe::name` is ambiguous, and so ill-formed, exactly when the handler has the
// name too.
#define WAITER_HOOK(returned, name, parameters)                                                                                  \
  template <class Handler>                                                                                                       \
  struct row<hook::name, Handler> {                                                                                              \
    struct decoy {                                                                                                               \
      int name;                                                                                                                  \
    };                                                                                                                           \
    struct probe : open<Handler>, decoy {};                                                                                      \
                                                                                                                                 \
    static constexpr bool named = !requires { &probe::name; };                                                                   \
                                                                                                                                 \
    template <class... Args>                                                                                                     \
    static constexpr bool callable = requires(Handler& handler, Args&&... args) { handler.name(std::forward<Args>(args)...); };  \
                                                                                                                                 \
    template <class Result, class... Args>                                                                                       \
    static constexpr bool returns = requires(Handler& handler, Args&&... args) {                                                 \
      { handler.name(std::forward<Args>(args)...) } -> std::same_as<Result>;                                                     \
    };                                                                                                                           \
                                                                                                                                 \
    template <class... Args>                                                                                                     \
    static constexpr bool returns_object =                                                                                       \
        requires(Handler& handler, Args&&... args) { requires std::is_class_v<decltype(handler.name(std::forward<Args>(args)...))>; };\
                                                                                                                                 \
    template <class... Args>                                                                                                     \
    static constexpr decltype(auto) call(Handler& handler, Args&&... args) {                                                     \
      return handler.name(std::forward<Args>(args)...);                                                                          \
    }                                                                                                                            \
                                                                                                                                 \
    template <class Client>                                                                                                      \
    struct with {                                                                                                                \
      using client_type = Client;                                                                                                \
      using documented = void parameters;                                                                                        \
    };                                                                                                                           \
                                                                                                                                 \
    template <class Client>                                                                                                      \
    static constexpr void explain() {                                                                                            \
      using bound = binding<hook::name, Handler, typename with<Client>::documented>;                                             \
      constexpr bool absent_or_callable = !named || bound::callable;                                                             \
      static_assert(absent_or_callable, "waiter: " #name " must be callable as `" #returned " " #name #parameters                \
                                        "`; is it public, or is waiter::hook_access a friend? See docs/hooks.md");               \
      constexpr bool absent_or_returns_well = !bound::callable || bound::bound;                                                  \
      constexpr bool waits = awaitable<hook::name, Client>;                                                                      \
      constexpr bool waits_in_vain = bound::returns_object && !has_coroutines<Client>;                                           \
      static_assert(absent_or_returns_well || waits || waits_in_vain,                                                            \
                    "waiter: " #name " must return " #returned ". See docs/hooks.md");                                           \
      static_assert(absent_or_returns_well || !waits,                                                                            \
                    "waiter: " #name " must return boost::asio::awaitable<" #returned                                            \
                    ">, because the transport is an async one: co_await what takes time. See docs/async.md");                    \
      static_assert(absent_or_returns_well || waits || !waits_in_vain,                                                           \
                    "waiter: " #name " must return " #returned                                                                   \
                    ", because the transport blocks: coroutines are for waiter::async<waiter::plain>. See docs/async.md");       \
    }                                                                                                                            \
                                                                                                                                 \
    template <class Stated, class Runs>                                                                                          \
    static constexpr void explain_stated() {                                                                                     \
      constexpr bool stated = Stated::template contains<hook::name>;                                                             \
      constexpr bool runs = Runs::template contains<hook::name>;                                                                 \
      constexpr bool required = hook::name == hook::on_process;                                                                  \
      static_assert(runs || !(stated || named), "waiter: the handler states what it `implements`, and may not have " #name       \
                                                ", which this fork policy never runs. See docs/hooks.md");                       \
      static_assert(!runs || !stated || named || required,                                                                       \
                    "waiter: `implements` states " #name ", which the handler does not have: write `" #returned " " #name        \
                    #parameters "`, or leave it out. See docs/hooks.md");                                                        \
      static_assert(!runs || stated || !named, "waiter: the handler has " #name                                                  \
                                               ", which its `implements` does not state: add waiter::hook::" #name               \
                                               ", or rename the member. See docs/hooks.md");                                     \
    }                                                                                                                            \
  };

  WAITER_HOOK(void, on_server_begin, ())
  WAITER_HOOK(void, on_listen_ok, ())
  WAITER_HOOK(void, on_accept_error, (error_code))
  WAITER_HOOK(void, on_accept_ok, (client_type&))
  WAITER_HOOK(void, on_maxforked, (client_type&))
  WAITER_HOOK(void, on_fork_ok, (pid_t))
  WAITER_HOOK(void, on_child_start, ())
  WAITER_HOOK(void, on_ssl_error, (std::string_view))
  WAITER_HOOK(void or bool, on_process, (client_type&))
  WAITER_HOOK(void, on_child_overtime, ())
  WAITER_HOOK(void, on_exception, (std::exception_ptr))
  WAITER_HOOK(void, on_close, (client_type&))
  WAITER_HOOK(void, on_child_exit, ())
  WAITER_HOOK(void, on_forking_idle, ())
  WAITER_HOOK(void, on_prefork_child_idle, ())
  WAITER_HOOK(void, on_sig_child, (pid_t pid, int status))
  WAITER_HOOK(void, on_sig_hup, ())
  WAITER_HOOK(void, on_sig_usr1, ())
  WAITER_HOOK(void, on_sig_usr2, ())
  WAITER_HOOK(void, on_child_sig_hup, ())
  WAITER_HOOK(void, on_child_sig_usr1, ())
  WAITER_HOOK(void, on_child_sig_usr2, ())
  WAITER_HOOK(void, on_reload, ())
  WAITER_HOOK(void, on_upgrade_failed, (std::string_view))
  WAITER_HOOK(void, on_server_close, ())
#undef WAITER_HOOK

  template <hook Hook, class Handler, class... Parameters>
  struct binding<Hook, Handler, void(Parameters...)> {
    using found = row<Hook, Handler>;

    static constexpr bool in_full = found::template callable<Parameters...>;
    static constexpr bool by_pid_alone = Hook == hook::on_sig_child && !in_full && found::template callable<pid_t>;
    static constexpr bool callable = in_full || by_pid_alone;

    template <class... Args>
    static constexpr bool returns_well = found::template returns<void, Args...> ||
                                         (Hook == hook::on_process && found::template returns<bool, Args...>);
    /// The same for a hook that waits in coroutines; only on_close may be none.
    template <class Client>
    static constexpr bool returns_coroutine() {
      if constexpr (awaitable<Hook, Client>)
        return found::template returns<typename Client::template coroutine<void>, Client&> ||
               (Hook == hook::on_process && found::template returns<typename Client::template coroutine<bool>, Client&>) ||
               (Hook == hook::on_close && found::template returns<void, Client&>);
      else
        return returns_well<Client&>;
    }
    static constexpr bool is_bound() {
      if constexpr (Hook == hook::on_process || Hook == hook::on_close)
        return (returns_coroutine<std::remove_reference_t<Parameters>>() && ...);
      else
        return by_pid_alone ? returns_well<pid_t> : returns_well<Parameters...>;
    }
    static constexpr bool returns_object = found::template returns_object<Parameters...>;
    static constexpr bool bound = is_bound();

    static constexpr decltype(auto) call([[maybe_unused]] Handler& handler, [[maybe_unused]] Parameters... parameters) {
      if constexpr (bound && in_full)
        return found::call(handler, std::forward<Parameters>(parameters)...);
      else if constexpr (bound)
        return by_pid(handler, parameters...);
    }

    static constexpr decltype(auto) by_pid(Handler& handler, pid_t pid, int) { return found::call(handler, std::move(pid)); }
  };

  template <class Handler, std::size_t... Index>
  static constexpr auto names_in(std::index_sequence<Index...>) {
    std::array<std::string_view, (std::size_t{named<static_cast<hook>(Index), Handler>} + ...)> used{};
    std::size_t next = 0;
    ((named<static_cast<hook>(Index), Handler> ? void(used[next++] = name_of(static_cast<hook>(Index))) : void()), ...);
    return used;
  }
};

}  // namespace waiter

#endif
