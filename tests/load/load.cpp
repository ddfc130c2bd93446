// load HOST PORT [FLAGS]: many clients at once, and what became of each. To be tried on any server:
//
//   $ load 127.0.0.1 8080 --seconds 10 --say $'hello\n' --expect hello
//
// How many, and for how long:
//   --clients N       so many at once (64)
//   --seconds S       begins no client after that (10)       --count N     begins no more than so many
//   --rate R          begins R a second, whatever becomes of those before (an open loop; at most --clients at once), and counts their
//                     times from when they were to begin; without it, a client begins when another one ends
//   --patience S      how long a connect, and then the answer, may take (10)
//                     SIGTERM and Ctrl-C: no more clients are begun, and those under way are finished
//   --until-stop      the server is going to be stopped: who is refused, or hears nothing when he connects, is not lost, and the run
//                     ends when somebody is refused
// What each says, and what an answer is:
//   --say TEXT        or --say-bytes N, a line of so many
//   --half-close      says that it has said all
//   --expect TEXT     an answer has this in it; without it, an answer is anything, up to the end of the stream
//   --requests N      says it N times on one connection; an answer is as long as what was said (an echo), and is timed
//   --slow-every N    each Nth client says --slow-say TEXT instead, and is timed apart
// How:
//   --tls             shakes hands first; any certificate is good enough. --tls12: no newer than 1.2; --resume: with the last session
//   --reset           closes by a reset, so that no side keeps the connection's ports for a minute
//   --congestion NAME tcp(7), TCP_CONGESTION
//
// HOST is an address in numbers. A host of 127.0.0.0/8 is called from all over 127.0.0.0/8, so that ports do not run out.
// Prints one line a number, and exits with 0 if nobody was lost, with 1 if somebody was, with 2 if it could not do its own part.
//
// All clients are one thread's, so that they take as little as possible from the server that is looked at.
#include "account.hpp"
#include "settings.hpp"
#include "visit.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

namespace load {
namespace {

/// A signal has said that it is enough.
volatile std::sig_atomic_t enough = 0;

/// Begins clients, lets them go on, and books their ends.
class crowd {
 public:
  explicit crowd(const settings& asked)
      : asked_(asked), began_(clock::now()), ends_(began_ + milliseconds(static_cast<long>(1000 * asked.seconds))) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    epoll_event event{EPOLLIN, {nullptr}};
    if (epoll_ < 0 || timer_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) != 0) {
      std::perror("load");
      std::exit(2);
    }
  }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  ~crowd() {
    ::close(timer_);
    ::close(epoll_);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      begin_clients();
      if (under_way_.empty() && !may_begin(clock::now())) return;
      set_timer();
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      bool ticked = false;
      for (int n = 0; n < count; ++n) {
        const auto& event = events[static_cast<std::size_t>(n)];
        if (event.data.ptr == nullptr) {
          std::uint64_t ticks;
          ticked = ::read(timer_, &ticks, sizeof ticks) > 0;
        } else {
          auto& one = *static_cast<visit*>(event.data.ptr);
          if (const auto how = one.go_on(event.events)) end(one, *how);
        }
      }
      // Last: it ends clients of which an event may have been among these.
      if (ticked) look_at_clock();
    }
  }

  account& books() { return books_; }
  instant began() const { return began_; }
  instant ends() const { return ends_; }

 private:
  static constexpr milliseconds look_again{20};
  static constexpr milliseconds nap{1};  ///< nothing is to be gained by a loop, when nobody listens

  bool may_begin(instant now) const { return !over_ && enough == 0 && now < ends_ && (asked_.count < 0 || begun_ < asked_.count); }

  bool open_loop() const { return asked_.rate > 0; }
  /// When the next client is to begin.
  instant next_due() const {
    if (!open_loop()) return resting_until_;
    return began_ + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(static_cast<double>(begun_) / asked_.rate));
  }

  void begin_clients() {
    while (under_way_.size() < static_cast<std::size_t>(asked_.clients)) {
      const instant now = clock::now(), due = next_due();
      if (!may_begin(now) || due > now) return;
      auto fresh = std::make_unique<visit>(asked_, books_, begun_++, open_loop() ? due : now);
      fresh->place = under_way_.size();
      auto& one = *under_way_.emplace_back(std::move(fresh));
      epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {&one}};
      if (one.fd() < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd(), &event) != 0) {
        end(one, own_error);
      } else if (const auto how = one.go_on(0)) {
        end(one, *how);
      }
    }
  }

  void end(visit& one, outcome how) {
    const instant now = clock::now();
    books_.book(how, one.began(), now);
    if (how == refused && asked_.until_stop) over_ = true;
    if (how == refused || how == own_error) resting_until_ = now + nap;
    const std::size_t place = one.place;
    std::swap(under_way_[place], under_way_.back());
    under_way_[place]->place = place;
    under_way_.pop_back();  // closes its socket, which leaves the epoll set by that
  }

  void look_at_clock() {
    const instant now = clock::now();
    for (std::size_t place = under_way_.size(); place-- > 0;) {
      if (const auto late = under_way_[place]->out_of_time(now)) end(*under_way_[place], *late);
    }
  }

  void set_timer() {
    const instant now = clock::now();
    instant next = now + look_again;
    if (may_begin(now) && under_way_.size() < static_cast<std::size_t>(asked_.clients)) next = std::min(next, next_due());
    if (next >= timer_stands_at_ && timer_stands_at_ > now) return;
    timer_stands_at_ = next;
    const auto nanos = std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::nanoseconds>(next - now).count());
    const itimerspec once{{0, 0}, {nanos / 1'000'000'000, nanos % 1'000'000'000}};
    ::timerfd_settime(timer_, 0, &once, nullptr);
  }

  const settings& asked_;
  account books_;
  std::vector<std::unique_ptr<visit>> under_way_{};
  long begun_ = 0;
  bool over_ = false;
  instant began_, ends_, resting_until_{}, timer_stands_at_{};
  int epoll_, timer_;
};

/// Whether everybody got what he came for, as an exit status.
int verdict(const settings& asked, const account& books) {
  if (books.of(own_error) != 0) return 2;
  long lost = books.of(reset_after_connect) + books.of(closed_without_answer) + books.of(answer_timeout);
  if (!asked.until_stop) lost += books.of(refused) + books.of(connect_timeout);
  return lost == 0 ? 0 : 1;
}

}  // namespace
}  // namespace load

int main(int argc, char** argv) {
  const auto asked = load::parse(argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  for (const int one : {SIGTERM, SIGINT}) ::signal(one, [](int) { load::enough = 1; });
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, ::setrlimit(RLIMIT_NOFILE, &files);

  load::crowd crowd(asked);
  crowd.run();
  const auto now = load::clock::now();
  if (!asked.until_stop && asked.count < 0) crowd.books().note_pause(std::min(now, crowd.ends()));
  crowd.books().print(std::cout, std::chrono::duration<double>(now - crowd.began()).count());
  return load::verdict(asked, crowd.books());
}
