// load HOST PORT [FLAGS]: many clients at once, and what became of each. To be tried on any server:
//
//   $ load 127.0.0.1 8080 --seconds 10 --say $'hello\n' --expect hello
//
//   --clients N       so many at once (64)
//   --seconds S       begins no client after that (10)       --count N     begins no more than so many
//   --say TEXT        what each says                         --expect TEXT   an answer has this in it; without it, an answer is
//                                                            anything, up to the end of the stream
//   --tls             shakes hands first; any certificate is good enough
//   --patience S      how long a connect, and then the answer, may take (10)
//   --until-stop      the server is going to be stopped: who is refused, or hears nothing when he connects, is not lost, and the run
//                     ends when somebody is refused
//
// HOST is an address in numbers. A host of 127.0.0.0/8 is called from all over 127.0.0.0/8, so that ports do not run out.
// Prints one line a class, and exits with 0 if nobody was lost, with 1 if somebody was, with 2 if it could not do its own part.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef WAITER_LOAD_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using std::chrono::milliseconds;
using clock_type = std::chrono::steady_clock;
using instant = clock_type::time_point;

enum outcome : std::size_t { answered, refused, reset_after_connect, closed_without_answer, connect_timeout, answer_timeout, own_error };
constexpr std::array<std::string_view, 7> names{"answered",        "refused",        "reset_after_connect", "closed_without_answer",
                                                "connect_timeout", "answer_timeout", "own_error"};

struct settings {
  sockaddr_storage to{};
  socklen_t size = 0;
  int clients = 64;
  double seconds = 10;
  long count = -1;
  milliseconds patience{10000};
  std::string say, expect;
  bool tls = false, until_stop = false, spread = false;
};

[[noreturn]] void usage(const std::string& wrong) {
  std::cerr << "load: " << wrong << "; see the head of tests/support/load.cpp\n";
  std::exit(2);
}

template <class Number>
Number number(std::string_view flag, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) usage(std::string(flag) + " takes a number");
  return value;
}

settings parse(int argc, char** argv) {
  settings all;
  if (argc < 3) usage("HOST and PORT are wanted");
  const auto port = htons(number<std::uint16_t>("PORT", argv[2]));
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, argv[1], &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = port;
    all.spread = ntohl(four.sin_addr.s_addr) >> 24 == 127;
    std::memcpy(&all.to, &four, all.size = sizeof four);
  } else if (::inet_pton(AF_INET6, argv[1], &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = port;
    std::memcpy(&all.to, &six, all.size = sizeof six);
  } else {
    usage("HOST is an address in numbers");
  }
  for (int at = 3; at < argc; ++at) {
    const std::string_view flag = argv[at];
    if (flag == "--tls") { all.tls = true; continue; }
    if (flag == "--until-stop") { all.until_stop = true; continue; }
    if (++at >= argc) usage(std::string(flag) + " takes a value");
    const std::string_view value = argv[at];
    if (flag == "--clients") all.clients = number<int>(flag, value);
    else if (flag == "--seconds") all.seconds = number<double>(flag, value);
    else if (flag == "--count") all.count = number<long>(flag, value);
    else if (flag == "--patience") all.patience = milliseconds(static_cast<long>(1000 * number<double>(flag, value)));
    else if (flag == "--say") all.say = value;
    else if (flag == "--expect") all.expect = value;
    else usage("there is no flag " + std::string(flag));
  }
#ifndef WAITER_LOAD_TLS
  if (all.tls) usage("this one was built without OpenSSL");
#endif
  return all;
}

/// What one step on a socket that does not wait came to.
enum class step { done, wants_read, wants_write, end, reset, failed };

step after_errno(step wants) {
  if (errno == EAGAIN || errno == EINTR) return wants;
  return errno == ECONNRESET || errno == EPIPE ? step::reset : step::failed;
}

/// The bytes of a connection, in clear.
class wire {
 public:
  explicit wire(int fd) : fd_(fd) {}
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  virtual ~wire() { ::close(fd_); }
  virtual step greet() { return step::done; }
  virtual step send(std::string_view& rest) {
    const auto sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return after_errno(step::wants_write);
    rest.remove_prefix(static_cast<std::size_t>(sent));
    return rest.empty() ? step::done : step::wants_write;
  }
  virtual step receive(std::string& into) {
    std::array<char, 16384> buffer;
    const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size < 0) return after_errno(step::wants_read);
    if (size == 0) return step::end;
    into.append(buffer.data(), static_cast<std::size_t>(size));
    return step::done;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

#ifdef WAITER_LOAD_TLS
class tls_wire : public wire {
 public:
  explicit tls_wire(int fd) : wire(fd), ssl_(::SSL_new(context())) { ::SSL_set_fd(ssl_, fd); }
  ~tls_wire() override { ::SSL_free(ssl_); }
  step greet() override {
    return judge(::SSL_connect(ssl_));
  }
  step send(std::string_view& rest) override {
    if (rest.empty()) return step::done;
    std::size_t sent = 0;
    const step how = judge(::SSL_write_ex(ssl_, rest.data(), rest.size(), &sent));
    if (how == step::done) rest = {};
    return how;
  }
  step receive(std::string& into) override {
    std::array<char, 16384> buffer;
    std::size_t size = 0;
    const step how = judge(::SSL_read_ex(ssl_, buffer.data(), buffer.size(), &size));
    into.append(buffer.data(), size);
    return how;
  }

 private:
  static SSL_CTX* context() {
    static SSL_CTX* const one = [] {
      SSL_CTX* const made = ::SSL_CTX_new(::TLS_client_method());
      ::SSL_CTX_set_verify(made, SSL_VERIFY_NONE, nullptr);
      return made;
    }();
    return one;
  }
  step judge(int result) {
    const int reason = errno;
    const int error = ::SSL_get_error(ssl_, result);
    ::ERR_clear_error();
    if (result > 0) return step::done;
    switch (error) {
      case SSL_ERROR_WANT_READ: return step::wants_read;
      case SSL_ERROR_WANT_WRITE: return step::wants_write;
      case SSL_ERROR_ZERO_RETURN: return step::end;
      // An end that TLS did not announce, or a reset; which of them the socket knows.
      default: return error == SSL_ERROR_SYSCALL && (reason == ECONNRESET || reason == EPIPE) ? step::reset : step::end;
    }
  }
  SSL* ssl_;
};
#endif

/// Whether the socket got ready in time.
bool wait_for(int fd, short events, instant until) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock_type::now()).count();
    if (left <= 0) return false;
    pollfd one{fd, events, 0};
    if (::poll(&one, 1, static_cast<int>(left)) > 0) return true;
  }
}

/// Repeats a step until it is done, or fails, or there is no more time (`failed`, and `late` is set).
template <class Step>
step carry_out(Step&& one, int fd, instant until, bool& late) {
  for (;;) {
    const step how = one();
    if (how != step::wants_read && how != step::wants_write) return how;
    if (!wait_for(fd, how == step::wants_read ? POLLIN : POLLOUT, until)) {
      late = true;
      return step::failed;
    }
  }
}

/// Socket and source address; -1 when it is our own fault that there is none.
int open_socket(const settings& asked, std::uint32_t number) {
  const int fd = ::socket(asked.to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || !asked.spread) return fd;
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f010001U + number % 0x00fd0000U);  // 127.1.0.1 and on
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0) return fd;
  ::close(fd);
  return -1;
}

outcome visit(const settings& asked, std::uint32_t number) {
  const int fd = open_socket(asked, number);
  if (fd < 0) return own_error;
  std::unique_ptr<wire> connection;
#ifdef WAITER_LOAD_TLS
  if (asked.tls) connection = std::make_unique<tls_wire>(fd);
#endif
  if (!connection) connection = std::make_unique<wire>(fd);

  int reason = 0;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&asked.to), asked.size) != 0) {
    reason = errno;
    if (reason == EINPROGRESS) {
      if (!wait_for(fd, POLLOUT, clock_type::now() + asked.patience)) return connect_timeout;
      socklen_t size = sizeof reason;
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size);
    }
  }
  if (reason == ECONNREFUSED) return refused;
  if (reason == ETIMEDOUT) return connect_timeout;
  if (reason == ECONNRESET) return reset_after_connect;
  if (reason != 0) return own_error;

  const instant until = clock_type::now() + asked.patience;
  bool late = false;
  step how = carry_out([&] { return connection->greet(); }, fd, until, late);
  std::string_view rest = asked.say;
  if (how == step::done && !rest.empty()) how = carry_out([&] { return connection->send(rest); }, fd, until, late);
  std::string got;
  // Who could not say all of it may have been answered all the same.
  while (how == step::done) {
    how = carry_out([&] { return connection->receive(got); }, fd, until, late);
    if (!asked.expect.empty() && got.find(asked.expect) != got.npos) return answered;
  }
  if (late) return answer_timeout;
  if (how == step::reset) return reset_after_connect;
  if (how == step::failed) return own_error;
  return asked.expect.empty() && !got.empty() ? answered : closed_without_answer;
}

/// What all threads add to.
struct account {
  std::mutex guard;
  std::array<long, names.size()> counts{};
  std::vector<std::uint32_t> micros;  ///< of the answered
  instant last_answer = clock_type::now();
  clock_type::duration longest_pause{};
  std::atomic<long> begun{0};
  std::atomic<bool> over{false};

  void book(outcome how, instant began) {
    const instant now = clock_type::now();
    const std::lock_guard hold(guard);
    ++counts[how];
    if (how != answered) return;
    micros.push_back(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(now - began).count()));
    note_pause(now);
  }
  void note_pause(instant now) {
    longest_pause = std::max(longest_pause, now - last_answer);
    last_answer = std::max(last_answer, now);
  }
};

void one_client(const settings& asked, account& all, instant end) {
  while (!all.over && clock_type::now() < end) {
    const long number = all.begun++;
    if (asked.count >= 0 && number >= asked.count) return;
    const instant began = clock_type::now();
    const outcome how = visit(asked, static_cast<std::uint32_t>(number));
    all.book(how, began);
    if (how == refused && asked.until_stop) all.over = true;
    if (how == refused || how == own_error) std::this_thread::sleep_for(milliseconds(1));  // nothing to be gained by a loop
  }
}

}  // namespace

int main(int argc, char** argv) {
  const settings asked = parse(argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, ::setrlimit(RLIMIT_NOFILE, &files);

  account all;
  const instant began = clock_type::now();
  const instant end = began + milliseconds(static_cast<long>(1000 * asked.seconds));
  std::vector<std::thread> threads;
  for (int n = 0; n < asked.clients; ++n) threads.emplace_back([&] { one_client(asked, all, end); });
  for (auto& one : threads) one.join();
  const auto took = std::chrono::duration<double>(clock_type::now() - began).count();
  // A silence that lasted to the end counts, unless the server was meant to be silent.
  if (!asked.until_stop && asked.count < 0) all.note_pause(std::min(clock_type::now(), end));

  for (std::size_t one = 0; one < names.size(); ++one) std::cout << names[one] << ' ' << all.counts[one] << '\n';
  std::sort(all.micros.begin(), all.micros.end());
  const auto at = [&](std::size_t percent) { return all.micros.empty() ? 0.0 : all.micros[(all.micros.size() - 1) * percent / 100] / 1000.0; };
  std::cout << "per_second " << static_cast<long>(static_cast<double>(all.counts[answered]) / took) << '\n'
            << "median_ms " << at(50) << "\np99_ms " << at(99) << "\nlongest_ms " << at(100) << "\nlongest_pause_ms "
            << std::chrono::duration_cast<milliseconds>(all.longest_pause).count() << std::endl;
  if (all.counts[own_error] != 0) return 2;
  long lost = all.counts[reset_after_connect] + all.counts[closed_without_answer] + all.counts[answer_timeout];
  if (!asked.until_stop) lost += all.counts[refused] + all.counts[connect_timeout];
  return lost == 0 ? 0 : 1;
}
