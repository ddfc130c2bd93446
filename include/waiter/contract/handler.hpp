#ifndef WAITER_CONTRACT_HANDLER_HPP
#define WAITER_CONTRACT_HANDLER_HPP

#include <waiter/contract/hook_access.hpp>
#include <waiter/contract/near_miss.hpp>
#include <waiter/hook.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace waiter {

/// What is asked of a handler as a whole; what is asked of each hook stands in its row.
class hook_access::clauses {
 public:
  template <class Handler, class Client, class Runs>
  static constexpr void explain() {
    if constexpr (!named<hook::on_process, Handler>) {
      constexpr bool meant = near_misses::any<hook::on_process, Handler, Client, Runs>;
      static_assert(meant,
                    "waiter: a handler needs on_process, the work for a client: write `void on_process(client_type& client)`. "
                    "See docs/hooks.md");
    }
    near_misses::explain<Handler, Client, Runs>();
    explain_each<Handler, Client>(std::make_index_sequence<count>());
    using stated = implements<Handler>;
    static_assert(stated::readable || !stated::named,
                  "waiter: `implements` must be public and a set of hooks: `using implements = "
                  "waiter::hooks<waiter::hook::on_process>;`. See docs/hooks.md");
    if constexpr (stated::readable)
      explain_stated<Handler, typename Handler::implements, Runs>(std::make_index_sequence<count>());
  }

 private:
  template <class Handler, class Client, std::size_t... Index>
  static constexpr void explain_each(std::index_sequence<Index...>) {
    (row<static_cast<hook>(Index), Handler>::template explain<Client>(), ...);
  }

  template <class Handler, class Stated, class Runs, std::size_t... Index>
  static constexpr void explain_stated(std::index_sequence<Index...>) {
    (row<static_cast<hook>(Index), Handler>::template explain_stated<Stated, Runs>(), ...);
  }
};

namespace contract {

/// `Handler` is a class, complete, and derives publicly from `Base`.
template <class Handler, class Base>
constexpr bool derives() {
  if constexpr (std::is_class_v<Handler> && requires { sizeof(Handler); })
    return std::is_convertible_v<Handler*, Base*>;
  else
    return false;
}

/// Refuses a faulty handler with one sentence for each broken clause, and is no code at all. To be called where the handler is
/// complete.
/// \param Base    the `basic_waiter` that the handler must derive from
/// \param Runs    `waiter::hooks` that this composition calls, the fork policy's and the common ones
template <class Handler, class Base, class Client, class Runs>
constexpr void explain_handler() {
  constexpr bool derived = derives<Handler, Base>();
  static_assert(derived,
                "waiter: the first argument of basic_waiter must be the very class that derives from it, and publicly: `struct "
                "hello : waiter::basic_waiter<hello>`. See docs/hooks.md");
  if constexpr (derived) {
    static_assert(!std::is_final_v<Handler>,
                  "waiter: a handler must not be `final`: its hooks are found by deriving from it. See docs/hooks.md");
    if constexpr (!std::is_final_v<Handler>) hook_access::clauses::explain<Handler, Client, Runs>();
  }
}

/// The handler that `base` is a part of. Where `explain_handler` has refused the two, it only keeps the rest from falling over.
template <class Handler, class Base>
Handler& handler_of(Base& base) noexcept {
  if constexpr (derives<Handler, Base>())
    return static_cast<Handler&>(base);
  else
    return reinterpret_cast<Handler&>(base);
}

}  // namespace contract

}  // namespace waiter

#endif
