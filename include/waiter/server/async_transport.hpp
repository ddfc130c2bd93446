#ifndef WAITER_SERVER_ASYNC_TRANSPORT_HPP
#define WAITER_SERVER_ASYNC_TRANSPORT_HPP

#include <waiter/hook.hpp>
#include <waiter/server/event_loop.hpp>
#include <waiter/server/many_clients.hpp>

#include <algorithm>
#include <type_traits>

namespace waiter {

/// What makes a transport one of event loops: its clients are served many at a time, by coroutines. A transport derives from
/// `async_transport<itself>`, and instead of `handshake` and `finish` it has `async_handshake(client, done)`, which calls
/// `done(std::optional<std::string> why_it_failed)`, and `async_finish(client, done)`, which calls `done()`.
template <class Derived>
class async_transport {
 public:
  static constexpr bool asynchronous = true;

  /// In a process that accepts: serves who comes until the process is to stop and nobody is left.
  template <hook Idle, class Host, class Watch>
  void serve_many(Host& host, Watch& watch) {
    event_loop<Host, Derived, Watch> loop(host, self(), watch, max_clients_);
    loop.template serve_many<Idle>();
  }

  /// In a process that was given its client: a loop for this one alone. False when on_process says that it was the last.
  template <class Host, class Client, class Greeted>
  bool serve_one(Host& host, Client& client, Greeted&& greeted) {
    single<std::remove_reference_t<Greeted>> watch(greeted);
    event_loop<Host, Derived, decltype(watch)> loop(host, self(), watch, 1);
    loop.serve_one(client);
    return watch.stay;
  }

  /// Where no loop runs: on_close, which may be a coroutine, and the client is left to be closed.
  template <class Host, class Client>
  void say_close(Host& host, Client& client) {
    many_clients nobody;
    event_loop<Host, Derived, many_clients> loop(host, self(), nobody, 1);
    loop.say_close(client);
  }

 protected:
  void max_clients(int most) noexcept { max_clients_ = std::max(most, 1); }

 private:
  template <class Greeted>
  struct single : many_clients {
    Greeted& tell;
    bool stay = true;

    explicit single(Greeted& greeted_one) noexcept : tell(greeted_one) {}
    void greeted() noexcept { tell(); }
    void enough() noexcept { stay = false; }
  };

  Derived& self() noexcept { return static_cast<Derived&>(*this); }

  int max_clients_ = 1;
};

}  // namespace waiter

#endif
