#ifndef WAITER_SERVER_MANY_CLIENTS_HPP
#define WAITER_SERVER_MANY_CLIENTS_HPP

#include <waiter/process/door_turn.hpp>

namespace waiter {

/// What a fork policy hears of the clients of an event loop that runs in one of its processes, and what the loop asks it. A policy
/// derives from it and writes what it wants to know; as it stands it is right for a process that serves alone.
class many_clients {
 public:
  /// How many clients the process has by now, how many of these are in their handshake, and whether it would take another.
  void count(int clients, int in_handshake, bool takes_more) noexcept {
    clients_ = clients;
    in_handshake_ = in_handshake;
    static_cast<void>(takes_more);
  }
  /// The clients of all processes at the same door, this one's included.
  attendance all() const noexcept { return {clients_, 1}; }
  /// How many clients are in their handshake, in all processes.
  int in_handshake() const noexcept { return in_handshake_; }
  /// Before a client is served; false when it is not to be.
  bool begins() noexcept { return true; }
  /// Its handshake is done.
  void greeted() noexcept {}
  /// After a client is closed.
  void ends() noexcept {}
  /// on_process said that this was the last client.
  void enough() noexcept {}
  /// Before the idle hook.
  void idle() noexcept {}
  /// The process is to stop, once: who holds the door closes it.
  void stops() noexcept {}

 private:
  int clients_ = 0;
  int in_handshake_ = 0;
};

}  // namespace waiter

#endif
