// A server with kids that do their worst; a client says in a line what is to be done.
//   hostile_server --policy=forking|prefork --trace=FILE
//   serve · scribble SEED · forge SEED · garbage SEED · pour · close · exit N · signal N · shutdown · nonblock
#include <waiter/waiter.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

pid_t server_pid = 0;

/// Whether a process is our kid, asked of the kernel and not of the library.
bool is_kid_of_ours(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (pid <= 0 || !std::getline(file, line)) return false;
  std::istringstream rest(line.substr(line.rfind(')') + 2));
  char state = 0;
  pid_t parent = 0;
  rest >> state >> parent;
  return parent == ::getpid();
}

}  // namespace

// In place of the C library's: whoever signals a process that is no kid of the server is found out.
extern "C" int kill(pid_t pid, int signal) noexcept {
  if (::getpid() == server_pid && !is_kid_of_ours(pid)) {
    std::cerr << "FOREIGN PID " << pid << " signal " << signal << std::endl;
    ::_exit(99);
  }
  return static_cast<int>(::syscall(SYS_kill, pid, signal));
}

namespace {

struct range {
  char* begin;
  char* end;
};

/// The memory that this process shares with others.
std::vector<range> shared_memory() {
  std::vector<range> all;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-s ") == line.npos) continue;
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    all.push_back({reinterpret_cast<char*>(begin), reinterpret_cast<char*>(end)});
  }
  return all;
}

void scribble(unsigned seed) {
  std::mt19937_64 luck(seed);
  for (int round = 0; round < 20; ++round)
    for (const auto& one : shared_memory())
      for (char* at = one.begin; at + 8 <= one.end; at += 8) {
        const std::uint64_t value = luck();
        std::memcpy(at, &value, 8);
      }
}

/// What a cell could hold, in the wrong place and at the wrong time.
void forge(unsigned seed) {
  std::mt19937_64 luck(seed);
  constexpr std::array<std::uint64_t, 8> times{
      0, 1, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0x7ffffffffffffff0, 1ull << 40, 1ull << 62};
  for (int round = 0; round < 200; ++round)
    for (const auto& one : shared_memory())
      for (char* at = one.begin; at + 64 <= one.end; at += 64) {
        const std::uint64_t first = luck() % 6 | (luck() % 3) << 32, second = times[luck() % times.size()];
        std::memcpy(at, &first, 8);
        std::memcpy(at + 8, &second, 8);
      }
}

/// Into each descriptor but those of the client, the standard ones and the trace.
void garbage(unsigned seed, int client) {
  std::mt19937_64 luck(seed);
  std::array<char, 65536> bytes;
  for (auto& one : bytes) one = static_cast<char>(luck());
  for (int fd = 3; fd < 256; ++fd) {
    struct stat what {};
    if (fd == client || ::fstat(fd, &what) != 0 || S_ISREG(what.st_mode)) continue;
    const int flags = ::fcntl(fd, F_GETFL);
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    for (int time = 0; time < 64; ++time)
      [[maybe_unused]] const auto written = ::write(fd, bytes.data(), 1 + luck() % bytes.size());
    msghdr message{};
    iovec piece{bytes.data(), 1};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    ::fcntl(fd, F_SETFL, flags);
  }
}

/// Does it to each listening socket that this process has.
template <class Deed>
void to_listeners(Deed deed) {
  for (int fd = 3; fd < 256; ++fd) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0) deed(fd);
  }
}

template <class ForkPolicy>
class server : public waiter::basic_waiter<server<ForkPolicy>, ForkPolicy, waiter::plain> {
  using base = waiter::basic_waiter<server, ForkPolicy, waiter::plain>;

 public:
  using typename base::client_type;
  using typename base::options;

  server(options settings, const std::string& trace) : base(std::move(settings)), trace_(trace, std::ios::app) {}

  void on_accept_error(waiter::error_code error) { tell("on_accept_error", " error=" + std::to_string(error.value())); }

  void on_server_begin() {
    server_pid = ::getpid();
    tell("on_server_begin");
  }
  void on_listen_ok() { tell("on_listen_ok", " port=" + std::to_string(this->get_port())); }
  void on_fork_ok(pid_t) { count(); }
  void on_sig_child(pid_t, int status) {
    count();
    if (WIFEXITED(status)) tell("on_sig_child", " code=" + std::to_string(WEXITSTATUS(status)));
  }
  void on_sig_hup() {
    count();
    tell("on_sig_hup", " kids=" + std::to_string(this->get_kids_count()));
  }
  void on_process(client_type& client) {
    waiter::error_code error;
    const auto line = client.read_line(error);
    if (!line) return;
    std::istringstream words(*line);
    std::string what;
    unsigned number = 0;
    words >> what >> number;
    if (what == "scribble") scribble(number);
    if (what == "forge") forge(number);
    if (what == "shutdown") to_listeners([](int fd) { ::shutdown(fd, SHUT_RDWR); });
    if (what == "nonblock") to_listeners([](int fd) { ::fcntl(fd, F_SETFL, O_NONBLOCK); });
    if (what == "garbage") garbage(number, client.native_handle());
    if (what == "pour") return client.write(std::string(16 << 20, 'x'));
    client.write("done\n", error);
    if (what == "close") {
      for (int fd = 3; fd < 256; ++fd)
        if (fd != client.native_handle()) ::close(fd);
      return;
    }
    if (what == "exit") ::_exit(static_cast<int>(number));
    if (what == "signal") ::kill(::getpid(), static_cast<int>(number));
  }
  void on_server_close() { tell("on_server_close"); }

 private:
  void count() {
    const auto [busy, kids] = this->get_busy_kids_count();
    if (busy < 0 || busy > kids || kids > 6) tell("on_count", " busy=" + std::to_string(busy) + " kids=" + std::to_string(kids));
  }
  void tell(const char* hook, const std::string& more = "") {
    trace_ << "0 P " << ::getpid() << ' ' << hook << more << std::endl;
  }

  std::ofstream trace_;
};

template <class ForkPolicy>
int serve(const std::string& trace) {
  typename server<ForkPolicy>::options options{
      .address = "127.0.0.1", .io_timeout = std::chrono::seconds(2), .linger = std::chrono::milliseconds(0)};
  if constexpr (requires { options.fork.prefork; }) options.fork.prefork = 4;
  options.fork.maxfork = 6;
  // Its clocks read what kids write, too.
  options.fork.soft_limit = std::chrono::seconds(60);
  options.fork.hard_limit = std::chrono::seconds(120);
  return server<ForkPolicy>(std::move(options), trace).run();
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> asked;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    asked[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  return asked["--policy"] == "forking" ? serve<waiter::forking>(asked["--trace"]) : serve<waiter::prefork>(asked["--trace"]);
}
