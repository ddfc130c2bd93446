// A server under a hail of signals: what its hooks hear goes to a board that the test reads.
//   signal_server --policy=nofork|forking|prefork --board=FILE --trace=FILE
#include "faults/signal_board.hpp"
#include <waiter/waiter.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

namespace {

using namespace faults;

signal_board* board = nullptr;
sigset_t own_mask;

void count(int) { board->own_handlers.fetch_add(1, std::memory_order_relaxed); }

sigset_t mask_now() {
  sigset_t now;
  ::sigprocmask(SIG_BLOCK, nullptr, &now);
  return now;
}

/// The way into each hook and out of it.
class inside {
 public:
  explicit inside(bool may_have_others) : outer_(innermost_) {
    std::uint32_t found = 0;
    if (outer_ != nullptr && !outer_->may_have_others_) found |= nested;
    const sigset_t now = mask_now();
    for (int signal = 1; signal < 32; ++signal)
      if (::sigismember(&now, signal) != ::sigismember(&own_mask, signal)) found |= masked;
    if (found != 0) board->troubles.fetch_or(found);
    may_have_others_ = may_have_others;
    innermost_ = this;
  }
  ~inside() { innermost_ = outer_; }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

 private:
  static inline inside* innermost_ = nullptr;
  inside* outer_;
  bool may_have_others_ = false;
};

template <class ForkPolicy>
class server : public waiter::basic_waiter<server<ForkPolicy>, ForkPolicy, waiter::plain> {
  using base = waiter::basic_waiter<server, ForkPolicy, waiter::plain>;

 public:
  using typename base::client_type;
  using typename base::options;

  server(options settings, const std::string& trace) : base(std::move(settings)), trace_(trace, std::ios::app) {}

  void on_server_begin() { tell("on_server_begin", ""); }
  void on_listen_ok() {
    board->parent.pid = ::getpid();
    tell("on_listen_ok", "port=" + std::to_string(this->get_port()));
  }
  void on_accept_ok(client_type& client) {
    const inside hook(false);
    client_port_ = client.peer().port();
  }
  void on_fork_ok(pid_t pid) {
    const inside hook(false);
    const std::uint32_t place = board->kids.load() % signal_board::places;
    board->kid[place].client_port = client_port_;
    board->kid[place].pid = pid;
    board->kids.fetch_add(1);
    tell_change(board->kids);
  }
  void on_child_start() { const inside hook(false); }
  void on_process(client_type& client) {
    const inside hook(true);
    waiter::error_code error;
    const auto line = client.read_line(error);
    if (line) client.write(*line + " by " + std::to_string(::getpid()) + "\n", error);
  }
  void on_close(client_type&) {
    const inside hook(false);
    auto* cell = mine();
    if (cell == nullptr) return;
    cell->served.fetch_add(1);
    tell_change(cell->served);
  }
  void on_child_exit() { const inside hook(false); }
  void on_sig_child(pid_t, int status) {
    const inside hook(false);
    if (status != 0) board->troubles.fetch_or(kid_failed);
  }
  void on_sig_hup() { heard(&board->parent, hup); }
  void on_sig_usr1() { heard(&board->parent, usr1); }
  void on_sig_usr2() { heard(&board->parent, usr2); }
  void on_child_sig_hup() { heard(mine(), hup); }
  void on_child_sig_usr1() { heard(mine(), usr1); }
  void on_child_sig_usr2() { heard(mine(), usr2); }
  void on_server_close() { tell("on_server_close", ""); }

 private:
  void tell(const char* hook, const std::string& more) {
    trace_ << "0 P " << ::getpid() << ' ' << hook << ' ' << more << std::endl;
  }

  void heard(listener_cell* cell, kind what) {
    const inside hook(false);
    if (cell == nullptr) {
      board->troubles.fetch_or(not_in_books);
      return;
    }
    cell->ran[what].fetch_add(1);
    cell->seen[what].store(cell->command[what].load());
    tell_change(cell->seen[what]);
  }

  // A kid's place is told by on_fork_ok in the parent, before anybody can know its pid.
  listener_cell* mine() {
    if (!this->is_child()) return &board->parent;
    if (mine_ != nullptr && mine_->pid == ::getpid()) return mine_;
    const std::uint32_t told = board->kids.load();
    for (std::uint32_t back = 1; back <= told && back <= 64; ++back) {
      auto& cell = board->kid[(told - back) % signal_board::places];
      if (cell.pid == ::getpid()) return mine_ = &cell;
    }
    return nullptr;
  }

  std::ofstream trace_;
  listener_cell* mine_ = nullptr;
  std::uint32_t client_port_ = 0;
};

template <class ForkPolicy>
int serve(const std::string& trace) {
  typename server<ForkPolicy>::options options{.address = "127.0.0.1", .io_timeout = std::chrono::seconds(60)};
  if constexpr (requires { options.fork.prefork; }) options.fork.prefork = -4;
  return server<ForkPolicy>(std::move(options), trace).run();
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> asked;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    asked[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  board = &signal_board::open(asked["--board"]);
  own_mask = mask_now();
  // The program's own handlers, some of which cut system calls short.
  for (const int signal : {SIGALRM, SIGTTIN, SIGTTOU, SIGVTALRM}) {
    struct sigaction action {};
    action.sa_handler = count;
    action.sa_flags = signal == SIGALRM || signal == SIGTTIN ? 0 : SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
  if (asked["--policy"] == "nofork") return serve<waiter::nofork>(asked["--trace"]);
  if (asked["--policy"] == "forking") return serve<waiter::forking>(asked["--trace"]);
  return serve<waiter::prefork>(asked["--trace"]);
}
