// A server that starts a program in each of its hooks, and tells what that program inherited of masks and dispositions.
//   starting_server --policy=nofork|forking|prefork --transport=plain|ssl --cert=FILE --key=FILE --trace=FILE
// Its own surroundings are unusual: USR2 and WINCH are blocked, TTIN and PIPE ignored, ALRM handled.
#include <waiter/ssl.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

/// What a program that is started now finds: "SigBlk:…,SigIgn:…,SigCgt:…".
std::string started(bool by_fork) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  char name[] = "cat", file[] = "/proc/self/status";
  char* const words[] = {name, file, nullptr};
  pid_t pid = 0;
  if (by_fork) {
    pid = ::fork();
    if (pid == 0) {
      ::dup2(ends[1], 1);
      ::execvp(name, words);
      ::_exit(127);
    }
  } else {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    ::posix_spawnp(&pid, name, &actions, nullptr, words, ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ::close(ends[1]);
  std::string text;
  char some[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], some, sizeof some)) != 0;)
    if (count > 0) text.append(some, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::string found = status == 0 ? "" : "it failed";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("SigBlk:") || line.starts_with("SigIgn:") || line.starts_with("SigCgt:"))
      found += line.substr(0, 7) + line.substr(line.find_last_of('\t') + 1) + ',';
  return found;
}

template <class ForkPolicy, class TransportPolicy>
class server : public waiter::basic_waiter<server<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy> {
  using base = waiter::basic_waiter<server, ForkPolicy, TransportPolicy>;

 public:
  using typename base::client_type;
  using typename base::options;

  server(options settings, const std::string& trace) : base(std::move(settings)), trace_(trace, std::ios::app) {
    starts("on_nothing_yet");
  }
  ~server() { starts("on_all_over"); }

  void on_server_begin() { starts("on_server_begin"); }
  void on_listen_ok() { starts("on_listen_ok", " port=" + std::to_string(this->get_port())); }
  void on_accept_ok(client_type&) { starts("on_accept_ok"); }
  void on_maxforked(client_type&) { starts("on_maxforked"); }
  void on_fork_ok(pid_t) { starts("on_fork_ok"); }
  void on_child_start() { starts("on_child_start"); }
  void on_ssl_error(std::string_view) { starts("on_ssl_error"); }
  void on_process(client_type& client) {
    starts("on_process");
    waiter::error_code error;
    client.read_line(error);
    throw std::runtime_error("for on_exception");
  }
  void on_child_overtime() { starts("on_child_overtime"); }
  void on_exception(std::exception_ptr) { starts("on_exception"); }
  void on_close(client_type&) { starts("on_close"); }
  void on_child_exit() { starts("on_child_exit"); }
  void on_forking_idle() { starts("on_forking_idle"); }
  void on_prefork_child_idle() { starts("on_prefork_child_idle"); }
  void on_sig_child(pid_t, int) { starts("on_sig_child"); }
  void on_sig_hup() { starts("on_sig_hup"); }
  void on_sig_usr1() { starts("on_sig_usr1"); }
  void on_child_sig_hup() { starts("on_child_sig_hup"); }
  void on_child_sig_usr1() { starts("on_child_sig_usr1"); }
  void on_server_close() { starts("on_server_close"); }

 private:
  void starts(const std::string& hook, const std::string& more = "") {
    trace_ << "0 " << (this->is_child() ? 'C' : 'P') << ' ' << ::getpid() << ' ' << hook << more << " forked=" << started(true)
           << " spawned=" << started(false) << std::endl;
  }

  std::ofstream trace_;
};

using words = std::map<std::string, std::string>;

template <class ForkPolicy, class TransportPolicy>
int serve(words& asked) {
  typename server<ForkPolicy, TransportPolicy>::options options{.address = "127.0.0.1", .timeout = std::chrono::seconds(1)};
  if constexpr (requires { options.fork.maxfork; }) {
    options.fork.maxfork = 1;
    options.fork.soft_limit = std::chrono::milliseconds(200);
  }
  if constexpr (server<ForkPolicy, TransportPolicy>::ssl_in_use())
    options.transport = {.cert_file = asked["--cert"], .key_file = asked["--key"]};
  return server<ForkPolicy, TransportPolicy>(std::move(options), asked["--trace"]).run();
}

template <class TransportPolicy>
int serve(words& asked) {
  if (asked["--policy"] == "nofork") return serve<waiter::nofork, TransportPolicy>(asked);
  if (asked["--policy"] == "forking") return serve<waiter::forking, TransportPolicy>(asked);
  return serve<waiter::prefork, TransportPolicy>(asked);
}

void nothing(int) {}

}  // namespace

int main(int argc, char** argv) {
  words asked;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    asked[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::sigaddset(&blocked, SIGWINCH);
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  std::signal(SIGTTIN, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGALRM, nothing);
  return asked["--transport"] == "ssl" ? serve<waiter::ssl>(asked) : serve<waiter::plain>(asked);
}
