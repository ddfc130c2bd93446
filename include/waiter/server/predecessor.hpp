#ifndef WAITER_SERVER_PREDECESSOR_HPP
#define WAITER_SERVER_PREDECESSOR_HPP

#include <waiter/process/heritage.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/server/doorway.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/passed_sockets.hpp>
#include <waiter/system/upgrade_channel.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

namespace waiter {

/// The server whose place this one takes, if it was started by one (`successor`): gives its sockets, and hears when this one serves.
/// In the listening process.
///
/// Until it has answered it serves too, and the sockets are not closed to clients when this server stops. From its answer on, or when it
/// is gone however it went, this server is the only one.
class predecessor {
 public:
  /// Takes what the environment says (`heritage`); programs that this process starts are not told of it. To be called once.
  void look() {
    const char* const text = std::getenv(heritage::variable);
    if (text == nullptr) return;
    auto left = heritage::read(text);
    ::unsetenv(heritage::variable);
    if (!left || !is_channel(left->channel)) return;
    system::descriptor channel(left->channel);
    ::fcntl(left->channel, F_SETFD, FD_CLOEXEC);
    channel_ = system::upgrade_channel(std::move(channel));
    for (auto& one : left->sockets) {
      if (::fcntl(one.descriptor, F_SETFD, FD_CLOEXEC) != 0) continue;
      inherited_.push_back(one.descriptor);
      if (one.name)
        system::passed_to_this_process().all.push_back({one.descriptor, std::move(*one.name)});
      else
        free_.push_back(one.descriptor);
    }
    state_ = state::waits;
  }

  /// One of its sockets for which `wanted(socket)` holds, or -1. It is the caller's from now on. Those that it was passed
  /// itself, by a service manager, are found where they would be found without it (`passed_to_this_process`).
  template <class Wanted>
  int take(Wanted&& wanted) {
    const auto found = std::find_if(free_.begin(), free_.end(), wanted);
    if (found == free_.end()) return -1;
    const int descriptor = *found;
    free_.erase(found);
    own_.push_back(descriptor);
    return descriptor;
  }

  /// Nobody wants what was not taken: it stays the predecessor's.
  void leave_rest() noexcept {
    for (const int one : free_) ::close(one);
    free_.clear();
  }

  /// It has to be told, or to answer.
  bool busy() const noexcept { return state_ == state::waits || state_ == state::told; }

  /// What wakes the server when it has answered.
  int descriptor() const noexcept { return state_ == state::told ? channel_.get() : -1; }

  /// Tells it once that this server serves, and hears what it says. Until when the next wait may last.
  template <class Host>
  instant work(Host& host) {
    if (state_ == state::waits) {
      if (!host.ready_to_serve()) return clock::now() + look_again;
      state_ = state::told;
      std::vector<int> taken;
      host.doorway().for_each([&](const system::listener& one) {
        if (one && std::find(inherited_.begin(), inherited_.end(), one.get()) != inherited_.end()) taken.push_back(one.get());
      });
      channel_.say(ready_message(taken));
    }
    if (state_ == state::told) hear(host);
    return instant::max();
  }

  /// It may still have clients, or sockets: it lives.
  bool lives() const {
    if (busy()) return true;
    return channel_ && channel_.hear().what != system::upgrade_channel::heard::end;
  }

  /// Before this server closes its sockets: the predecessor keeps those that are still in use there.
  template <class Host>
  void settle(Host& host) {
    if (state_ == state::told) hear(host);
    // One that is gone before this server was ready has left it the sockets, too.
    if (state_ == state::waits && channel_.hear().what == system::upgrade_channel::heard::end) become_heir(host);
    if (busy()) for_each_own(host, [](system::listener& one) { one.share(); });
  }

  /// In a kid: all of it is its parent's.
  void forget() noexcept {
    channel_.close();
    state_ = state::none;
  }

 private:
  using clock = std::chrono::steady_clock;

  /// Kids that are ready tell nobody, so they are looked at so often.
  static constexpr milliseconds look_again{5};

  enum class state { none, waits, told, settled };

  static bool is_channel(int descriptor) noexcept {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
  }

  template <class Host>
  void hear(Host& host) {
    const auto heard = channel_.hear();
    if (heard.what == heard.silence) return;
    if (heard.what == heard.word && heard.text == "leave") {
      host.log("not serving: the server that has started this one serves on");
      for_each_own(host, [](system::listener& one) { one.share(); });
      state_ = state::settled;
      return host.give_up();
    }
    become_heir(host);
  }

  template <class Host>
  void become_heir(Host& host) {
    state_ = state::settled;
    for_each_own(host, [](system::listener& one) {
      if (!one.is_shared()) one.own();  // somebody else has it by now: a service manager that stores it
    });
  }

  template <class Host, class Each>
  void for_each_own(Host& host, Each&& each) {
    host.doorway().for_each([&](system::listener& one) {
      if (one && std::find(own_.begin(), own_.end(), one.get()) != own_.end()) each(one);
    });
  }

  system::upgrade_channel channel_;
  std::vector<int> inherited_;  // all that it has left
  std::vector<int> free_;       // nobody has taken them yet
  std::vector<int> own_;        // taken, and nobody's but the predecessor's until it gives way
  state state_ = state::none;
};

}  // namespace waiter

#endif
