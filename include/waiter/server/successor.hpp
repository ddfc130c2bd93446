#ifndef WAITER_SERVER_SUCCESSOR_HPP
#define WAITER_SERVER_SUCCESSOR_HPP

#include <waiter/error.hpp>
#include <waiter/hook.hpp>
#include <waiter/process/heritage.hpp>
#include <waiter/process/instant.hpp>
#include <waiter/process/upgrade_sequence.hpp>
#include <waiter/process/wait_status.hpp>
#include <waiter/server/doorway.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/passed_sockets.hpp>
#include <waiter/system/program_start.hpp>
#include <waiter/system/signal_mask.hpp>
#include <waiter/system/upgrade_channel.hpp>

#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waiter {

/// The program that is to take this server's place: does what `upgrade_sequence` says. In the listening process.
class successor {
 public:
  /// Starts a program; its number, or -1 and why not.
  using starter = pid_t (*)(const system::program_start& what, error_code& error) noexcept;

  /// \param within  from the start until it is ready
  explicit successor(milliseconds within) noexcept : sequence_(within) {}

  /// Asks for one. It is started at the next wait of the server's loop.
  /// \param obstacle  why there can be none now
  void request(starter how, system::program_start what, std::optional<std::string> obstacle) {
    if (!sequence_.busy()) {
      start_ = how;
      what_ = std::move(what);
    }
    sequence_.request(std::move(obstacle));
  }

  /// There is something to do, or to look after.
  bool busy() const noexcept { return sequence_.busy() || program_ > 0; }

  /// What wakes the server when the program has said something; -1 when nothing is to be heard.
  int descriptor() const noexcept { return deaf_ ? -1 : channel_.get(); }

  /// Looks what has happened, and does what is to be done. Until when the next wait may last.
  template <class Host>
  instant work(Host& host) {
    for (;;) {
      const instant now = clock::now();
      hear(now);
      look_after_program(host);
      const auto next = sequence_.next(now);
      switch (next.kind) {
        case upgrade_sequence::action::start: start(host); break;
        case upgrade_sequence::action::kill: ::kill(program_, SIGKILL); break;
        case upgrade_sequence::action::give_way: give_way(host); break;
        case upgrade_sequence::action::fail:
          end_of_it();
          host.stay();
          [[fallthrough]];
        case upgrade_sequence::action::refuse:
          host.log("upgrade failed: ", next.reason);
          host.template call<hook::on_upgrade_failed>(std::string_view(next.reason));
          return now;  // the hook may have asked for another one, and the server has other things to do
        case upgrade_sequence::action::wait: return next.until;
      }
    }
  }

  /// The server stops, so nobody is to succeed it: who was to is killed, and gone when this returns.
  template <class Host>
  void stop(Host& host) {
    if (!sequence_.busy()) return;
    sequence_.stop();
    while (sequence_.busy()) {
      const instant until = std::min(work(host), clock::now() + std::chrono::milliseconds(2));
      ::poll(nullptr, 0, until > clock::now() ? 2 : 0);
    }
  }

  /// In a kid: all of it is its parent's.
  void forget() noexcept {
    channel_.close();
    program_ = 0;
    sequence_ = upgrade_sequence(never);
  }

 private:
  using clock = std::chrono::steady_clock;

  void hear(instant now) {
    if (descriptor() < 0) return;
    for (;;) {
      const auto heard = channel_.hear();
      if (heard.what == heard.silence) return;
      if (heard.what == heard.end) {
        deaf_ = true;
        return sequence_.deaf(now);
      }
      if (auto taken = read_ready_message(heard.text)) {
        taken_ = std::move(*taken);
        sequence_.ready();
      }
    }
  }

  // It is a child of ours, but no kid, and nobody else waits for it.
  template <class Host>
  void look_after_program(Host& host) {
    if (program_ <= 0) return;
    int status = 0;
    const pid_t ended = ::waitpid(program_, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno != ECHILD)) return;
    const std::string how = ended < 0 ? "is gone" : describe_wait_status(status);
    if (gave_way_) host.log("the program that has taken over, process ", program_, ", ", how);
    sequence_.failed("process " + std::to_string(program_) + " " + how + " before it was ready");
    program_ = 0;
  }

  template <class Host>
  void start(Host& host) {
    error_code error;
    auto [ours, theirs] = system::upgrade_channel::make(error);
    if (error) return sequence_.failed("there is no channel to the new program: " + error.message());
    auto what = what_;
    heritage left{.channel = theirs.get()};
    what.descriptors = {theirs.get()};
    host.doorway().for_each([&](const system::listener& one) {
      if (!one) return;
      left.sockets.push_back({one.get(), one.is_shared() ? name_given_to(one.get()) : std::nullopt});
      what.descriptors.push_back(one.get());
    });
    what.variables.push_back(std::string(heritage::variable) + "=" + left.text());
    for (auto& one : host.manager().variables()) what.variables.push_back(std::move(one));

    // The program begins with the signals as they were before this server: its mask, and what was ignored.
    std::optional<system::signal_mask> for_now;
    const auto* mask = host.held_signals();
    if (mask == nullptr) mask = &for_now.emplace();
    what.in_new_process = [mask, restore = std::move(what.in_new_process)] {
      if (restore) restore();
      mask->open();
    };
    program_ = start_(what, error);
    if (program_ <= 0) return sequence_.failed(what.program + ": " + error.message());
    host.log("upgrade: started ", what.program, " as process ", program_);
    channel_ = std::move(ours);
    deaf_ = false;
    sequence_.started(clock::now());
  }

  // By a service manager, whose it stays.
  static std::optional<std::string> name_given_to(int socket) {
    for (const auto& one : system::passed_to_this_process().all)
      if (one.descriptor == socket) return one.name;
    return std::nullopt;
  }

  template <class Host>
  void give_way(Host& host) {
    gave_way_ = deaf_ = true;  // the channel stays until this process ends: it tells the successor so
    channel_.say("serve");
    host.log("upgrade: process ", program_, " is ready and serves from now on; this one finishes its clients");
    host.manager().hand_over(program_);
    host.give_way(taken_);
  }

  // A program that this one has started may still have the other end, and must not take itself for the successor.
  void end_of_it() {
    if (channel_) channel_.say("leave");
    channel_.close();
    program_ = 0;
  }

  upgrade_sequence sequence_;
  starter start_ = nullptr;
  system::program_start what_;
  system::upgrade_channel channel_;
  std::vector<int> taken_;
  pid_t program_ = 0;
  bool deaf_ = false;
  bool gave_way_ = false;
};

}  // namespace waiter

#endif
