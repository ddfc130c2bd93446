#ifndef WAITER_SYSTEM_SIGNAL_HANDLERS_HPP
#define WAITER_SYSTEM_SIGNAL_HANDLERS_HPP

#include <waiter/error.hpp>
#include <waiter/system/signal_mailbox.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>
#include <utility>

namespace waiter::system {

/// Takes the signals of the process for as long as a server runs, and gives them back as they were.
///
/// Kids inherit all of it over a fork. Handlers are installed with SA_RESTART, so system calls of the user's own are not cut
/// short, and they are handlers, never SIG_IGN, so a program that the user starts gets the default back (execve(2)).
class signal_handlers {
 public:
  signal_handlers() = default;
  signal_handlers(const signal_handlers&) = delete;
  signal_handlers& operator=(const signal_handlers&) = delete;
  ~signal_handlers() { give_back(); }

  /// Fails with EBUSY when another server runs in this process, or with what socket(2) says.
  void take(error_code& error) noexcept {
    if (mailbox.dead_ >= 0) return error.assign(EBUSY, boost::system::system_category());
    // Unconnected, so that read, write and accept all fail on it. /dev/null would swallow a write and call it done.
    const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int spare = dead < 0 ? -1 : ::fcntl(dead, F_DUPFD_CLOEXEC, 0);
    if (spare < 0) {
      error.assign(errno, boost::system::system_category());
      if (dead >= 0) ::close(dead);
      return;
    }
    mailbox.forget();
    mailbox.dead_ = dead;
    mailbox.spare_ = spare;
    mailbox.owner_ = pthread_self();
    taken_ = true;
    for (auto& one : ours_) install(one);
    struct sigaction pipe {};
    ::sigaction(SIGPIPE, nullptr, &pipe);
    if (pipe.sa_handler == SIG_DFL) install(pipe_);
  }

  /// Lets `give_way_signal()` arrive, in the kids that are born from now on. Before the first of them, which may be told at birth.
  void let_give_way() noexcept { install(give_way_); }

  void give_back() noexcept {
    if (!taken_) return;
    taken_ = false;
    for (auto& one : ours_) restore(one);
    restore(pipe_);
    restore(give_way_);
    ::close(std::exchange(mailbox.dead_, -1));
    ::close(std::exchange(mailbox.spare_, -1));
  }

  /// For a preforked kid: lets `parent_gone_signal()` arrive.
  static void watch_for_parent() noexcept {
    taken parent{parent_gone_signal(), notice::parent_gone, {}, false};
    install(parent);
  }
  /// For a kid whose clients have a limit: lets `overtime_signal()` arrive.
  static void watch_for_overtime() noexcept {
    taken overtime{overtime_signal(), notice::overtime, {}, false};
    install(overtime);
  }

  /// The signals that a parent lets in only while it waits.
  static sigset_t set() noexcept {
    sigset_t all;
    sigemptyset(&all);
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) sigaddset(&all, signal);
    return all;
  }

 private:
  struct taken {
    int signal;
    notice what;
    struct sigaction before;
    bool installed;
  };

  template <notice What>
  static void handle(int signal) {
    mailbox.deliver(signal, What);
  }

  // SIGPIPE must not kill, and must not be ignored either: an ignored signal stays ignored in the programs the user starts.
  static void swallow(int) {}

  static auto handler_of(int signal, notice what) noexcept -> void (*)(int) {
    if (signal == SIGPIPE) return swallow;
    switch (what) {
      case notice::term: return handle<notice::term>;
      case notice::interrupt: return handle<notice::interrupt>;
      case notice::quit: return handle<notice::quit>;
      case notice::hup: return handle<notice::hup>;
      case notice::usr1: return handle<notice::usr1>;
      case notice::usr2: return handle<notice::usr2>;
      case notice::child: return handle<notice::child>;
      case notice::parent_gone: return handle<notice::parent_gone>;
      case notice::overtime: return handle<notice::overtime>;
      case notice::give_way: return handle<notice::give_way>;
    }
    return swallow;
  }

  static void install(taken& one) noexcept {
    struct sigaction action {};
    action.sa_handler = handler_of(one.signal, one.what);
    action.sa_flags = SA_RESTART;
    // One handler at a time: what `deliver` does to the armed descriptor must not be interrupted by itself.
    action.sa_mask = set();
    sigaddset(&action.sa_mask, parent_gone_signal());
    sigaddset(&action.sa_mask, overtime_signal());
    sigaddset(&action.sa_mask, give_way_signal());
    one.installed = ::sigaction(one.signal, &action, &one.before) == 0;
  }

  static void restore(taken& one) noexcept {
    if (std::exchange(one.installed, false)) ::sigaction(one.signal, &one.before, nullptr);
  }

  std::array<taken, 7> ours_{{{SIGTERM, notice::term, {}, false},
                              {SIGINT, notice::interrupt, {}, false},
                              {SIGQUIT, notice::quit, {}, false},
                              {SIGHUP, notice::hup, {}, false},
                              {SIGUSR1, notice::usr1, {}, false},
                              {SIGUSR2, notice::usr2, {}, false},
                              {SIGCHLD, notice::child, {}, false}}};
  taken pipe_{SIGPIPE, notice::term, {}, false};
  taken give_way_{give_way_signal(), notice::give_way, {}, false};
  bool taken_ = false;
};

}  // namespace waiter::system

#endif
