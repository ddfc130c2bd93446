// Ten times as many clients as the server has kids, each of which stalls: it is cut at its deadline, and then all is well again.
#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"
#include "support/server_process.hpp"
#include "support/tls_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace support;

namespace {

using flags = std::vector<std::string>;

constexpr int maxfork = 8;
constexpr int many = 10 * maxfork;
/// The deadline of each phase, by an option of the server.
constexpr milliseconds limit{2000};

bool soak() { return std::getenv("WAITER_SOAK") != nullptr; }

class server : public server_process {
 public:
  explicit server(flags more)
      : server_process({.program = std::getenv("WAITER_EVERY_HOOK"), .arguments = with_pool(std::move(more))}) {}

 private:
  static flags with_pool(flags more) {
    for (const char* one : {"--prefork=8", "--maxfork=8", "--timeout=3600", "--linger=2"}) more.insert(more.begin(), one);
    return more;
  }
};

/// How long one normal client takes; nothing when it is not served.
using visit = std::function<std::optional<double>(std::uint16_t port)>;

template <class Ask>
std::optional<double> timed(Ask ask) {
  const auto began = std::chrono::steady_clock::now();
  if (!ask()) return std::nullopt;
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}
std::optional<double> tls_visit(std::uint16_t port) {
  return timed([port] {
    tls_client one(port);
    return one.handshaken() && one.read_all().how == outcome::answered;
  });
}

double p99(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times.empty() ? 1e9 : times[times.size() * 99 / 100];
}

struct crowd_result {
  std::vector<double> normal;  ///< milliseconds of the normal clients that were served
  int not_served = 0;
};
crowd_result visits(std::uint16_t port, const visit& one, int count) {
  crowd_result all;
  for (int at = 0; at < count; ++at) {
    if (const auto time = one(port))
      all.normal.push_back(*time);
    else
      ++all.not_served;
  }
  return all;
}

/// A client that stalls, and when the server cut it.
struct staller {
  client connection;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::optional<double> cut_after{};  ///< milliseconds
  int sent = 0;
};

/// What a staller does each time somebody looks at it: it may send something. The first call is at once.
using trick = std::function<void(staller&)>;

/// Lets the stallers stall until they are cut, or that long. Who is cut must hear of it: the end of the stream, or a reset.
class stall {
 public:
  stall(std::uint16_t port, int count, trick what, bool reads = true) : what_(std::move(what)), reads_(reads) {
    for (int at = 0; at < count; ++at) {
      all_.push_back(std::make_unique<staller>(staller{client(port)}));
      what_(*all_.back());
    }
    thread_ = std::thread([this] { work(); });
  }
  ~stall() {
    leave_ = true;
    thread_.join();
  }

  /// All who were cut, in milliseconds after they began.
  std::vector<double> wait(milliseconds within) {
    eventually([this] { return open_ == 0; }, within);
    leave_ = true;
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    std::vector<double> times;
    for (const auto& one : all_)
      if (one->cut_after) times.push_back(*one->cut_after);
    return times;
  }

 private:
  void work() {
    open_ = static_cast<int>(all_.size());
    while (!leave_ && open_ != 0) {
      std::vector<pollfd> waiting;
      for (const auto& one : all_)
        waiting.push_back(
            {one->cut_after ? -1 : one->connection.descriptor(), static_cast<short>(reads_ ? POLLIN | POLLRDHUP : POLLERR), 0});
      ::poll(waiting.data(), static_cast<nfds_t>(waiting.size()), 10);
      int open = 0;
      for (std::size_t at = 0; at < all_.size(); ++at) {
        auto& one = *all_[at];
        if (one.cut_after) continue;
        char byte[512];
        const bool over = (waiting[at].revents & (POLLERR | POLLHUP)) != 0 ||
                          (reads_ && (waiting[at].revents & POLLIN) != 0 &&
                           ::recv(one.connection.descriptor(), byte, sizeof byte, MSG_DONTWAIT) <= 0);
        if (over)
          one.cut_after = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - one.began).count();
        else
          what_(one), ++open;
      }
      open_ = open;
    }
  }

  trick what_;
  const bool reads_;
  std::vector<std::unique_ptr<staller>> all_;
  std::atomic<bool> leave_{false};
  std::atomic<int> open_{1};
  std::thread thread_;
};

void nothing(staller&) {}

/// The first bytes of a ClientHello that announces 512 bytes.
void half_hello(staller& one) {
  if (std::chrono::steady_clock::now() - one.began < 5ms)
    ::send(one.connection.descriptor(), "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Of those cut at about the deadline (those who were turned away at once, or waited for a place, are others), how far the worst
/// was off, as a part of it.
struct punctuality {
  int in_time = 0;
  double worst = 0;
};
punctuality compare(const std::vector<double>& cut, double expected) {
  punctuality all;
  for (const double time : cut) {
    const double off = time / expected - 1;
    if (off < -0.5 || off > 0.5) continue;
    ++all.in_time;
    if (std::abs(off) > std::abs(all.worst)) all.worst = off;
  }
  return all;
}

void tell(const std::string& phase, double quiet, double loaded, const punctuality& cuts) {
  std::cout << "stallers, " << phase << ": p99 quiet " << quiet << " ms, with or after them " << loaded << " ms; " << cuts.in_time
            << " cut at the deadline, the worst off by " << cuts.worst * 100 << " %\n";
}

/// Five times the quiet p99; times below the clock tick of a busy machine are no times.
double bound(double quiet) { return 5 * std::max(quiet, 5.0); }

/// One byte a second.
void trickle(staller& one) {
  const auto due = one.began + std::chrono::seconds(one.sent);
  if (std::chrono::steady_clock::now() >= due && ::send(one.connection.descriptor(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
    ++one.sent;
}

/// Sends a little, again and again.
void keep_sending(staller& one) { ::send(one.connection.descriptor(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

std::optional<double> echo_visit(std::uint16_t port) {
  return timed([port] {
    client one(port);
    one.send("hello\n");
    one.half_close();
    return one.read_all().text == "hello\n";
  });
}

/// One phase in which clients can stall: they are cut in time, and then normal clients are served as before.
struct phase {
  std::string name;
  flags settings;
  int stallers;
  trick what;
  bool reads;
  visit normal;
};

void check(const phase& one) {
  CAPTURE(one.name);
  server served(one.settings);
  const auto port = served.port();
  if (one.settings.front() == "--policy=prefork") served.trace().wait_for({.hook = "on_child_start", .nth = maxfork});
  const auto quiet = p99(visits(port, one.normal, 100).normal);
  punctuality cuts;
  {
    stall crowd(port, one.stallers, one.what, one.reads);
    const auto cut = crowd.wait(limit + 4000ms);
    CHECK(cut.size() == static_cast<std::size_t>(one.stallers));
    cuts = compare(cut, static_cast<double>(limit.count()));
  }
  CHECK(cuts.in_time >= 1);
  CHECK(std::abs(cuts.worst) <= 0.1);
  const auto after = visits(port, one.normal, 100);
  tell(one.name, quiet, p99(after.normal), cuts);
  CHECK(after.not_served == 0);
  CHECK(p99(after.normal) <= bound(quiet));
  CHECK(served.stop() == 0);
}

}  // namespace

TEST_CASE("who stalls is cut at the deadline, and others are served as before from then on", "[stallers]") {
  const flags tls{"--policy=prefork", "--transport=ssl", "--handshake-timeout=2", "--max-handshakes=4"};
  SECTION("silent at the handshake") { check({"silent at the handshake", tls, many, nothing, true, tls_visit}); }
  SECTION("half a ClientHello") { check({"half a ClientHello", tls, many, half_hello, true, tls_visit}); }
  SECTION("silent, forking") {
    check({"silent, forking", {"--policy=forking", "--process=echo", "--io-timeout=2"}, many, nothing, true, echo_visit});
  }
  SECTION("silent, prefork") {
    check({"silent, prefork", {"--policy=prefork", "--process=echo", "--io-timeout=2"}, maxfork, nothing, true, echo_visit});
  }
  SECTION("a byte a second") {
    check({"a byte a second", {"--policy=prefork", "--process=echo", "--min-rate=1000"}, maxfork, trickle, true, echo_visit});
  }
}

TEST_CASE("while clients stall in their handshake others are served as before", "[stallers]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  server one({"--policy=" + policy, "--transport=ssl", "--handshake-timeout=60", "--max-handshakes=4"});
  const auto port = one.port();
  if (policy == "prefork") one.trace().wait_for({.hook = "on_child_start", .nth = maxfork});
  double quiet = 0;
  crowd_result during;
  // A machine that is busy with something else is slow, so a round that was disturbed is repeated.
  for (int round = 0; round < 3 && (round == 0 || during.not_served != 0 || p99(during.normal) > bound(quiet)); ++round) {
    quiet = p99(visits(port, tls_visit, 100).normal);
    std::atomic<bool> leave{false};
    std::atomic<int> came{0};
    std::thread crowd([&] {
      std::vector<std::unique_ptr<client>> stallers;
      for (int at = 0; at < many; ++at) stallers.push_back(std::make_unique<client>(port));
      for (came = many; !leave; ::poll(nullptr, 0, 50)) {
        char byte = 0;
        for (auto& each : stallers) {
          if (::recv(each->descriptor(), &byte, 1, MSG_DONTWAIT) != 0) continue;
          each = std::make_unique<client>(port);
          ++came;
          break;
        }
      }
    });
    eventually([&] { return came > 0; });
    during = visits(port, tls_visit, 100);
    leave = true;
    crowd.join();
    tell("stall in the handshake (" + std::to_string(came) + "), " + policy, quiet, p99(during.normal), {});
  }
  CHECK(during.not_served == 0);
  CHECK(p99(during.normal) <= bound(quiet));
  CHECK(one.stop() == 0);
}

TEST_CASE("who never reads the answer is cut after io_timeout, and others are served as before from then on", "[stallers]") {
  server_process one({.program = std::getenv("WAITER_HOSTILE_SERVER"), .arguments = {"--policy=prefork"}});
  const auto port = one.port();
  const visit normal = [](std::uint16_t where) {
    return timed([where] { return client(where).ask("serve\n").text == "done\n"; });
  };
  const auto quiet = p99(visits(port, normal, 100).normal);
  const auto io_timeout = static_cast<double>(limit.count());
  double first = 0, last = 0;
  // A machine that is busy with something else is late, so a round that was disturbed is repeated; a wrong deadline is wrong in each.
  for (int round = 0; round < 3 && (first < 0.9 * io_timeout || last > 1.1 * io_timeout); ++round) {
    // As many as the pool can have.
    stall crowd(
        port, 6, [](staller& each) { each.sent++ == 0 ? static_cast<void>(each.connection.send("pour\n")) : keep_sending(each); },
        false);
    const auto cut = crowd.wait(3 * limit);
    REQUIRE(cut.size() == 6);
    first = *std::min_element(cut.begin(), cut.end());
    last = *std::max_element(cut.begin(), cut.end());
    std::cout << "stallers, never read the answer: cut after " << first << " … " << last << " ms, io_timeout is " << limit.count()
              << " ms\n";
  }
  CHECK(first >= 0.9 * io_timeout);
  CHECK(last <= 1.1 * io_timeout);
  const auto after = visits(port, normal, 100);
  CHECK(after.not_served == 0);
  CHECK(p99(after.normal) <= bound(quiet));
  CHECK(one.stop() == 0);
}

TEST_CASE("while clients connect and reset others are served", "[stallers]") {
  const std::string policy = GENERATE(as<std::string>{}, "forking", "prefork");
  // Room for those who reset and are not seen off yet: a place is what this is not about.
  server one({"--policy=" + policy, "--process=echo", "--io-timeout=2", policy == "forking" ? "--maxfork=64" : "--maxfork=8"});
  if (policy == "prefork") one.trace().wait_for({.hook = "on_child_start", .nth = maxfork});
  const auto port = one.port();
  const auto quiet = p99(visits(port, echo_visit, 100).normal);
  std::atomic<bool> leave{false};
  std::atomic<int> resets{0};
  std::thread crowd([&] {
    // As fast as places become free: with a process for each client, who comes while all are taken is refused.
    while (!leave) {
      client(port).reset();
      if (++resets % 4 == 0) eventually([&] { return leave || one.kids().size() < maxfork / 2 || policy == "prefork"; });
    }
  });
  const auto during = visits(port, echo_visit, 200);
  leave = true;
  crowd.join();
  tell("connect and reset (" + std::to_string(resets) + "), " + policy, quiet, p99(during.normal), {});
  CHECK(during.not_served == 0);
  CHECK(p99(during.normal) <= bound(quiet));
  CHECK(one.stop() == 0);
}

TEST_CASE("the refused who send and never read are cut after linger, and clients in hand do not notice", "[stallers]") {
  server one({"--policy=forking", "--process=echo", "--io-timeout=60"});
  const auto port = one.port();
  std::vector<client> in_hand;
  for (int at = 0; at < maxfork; ++at) {
    in_hand.emplace_back(port);
    REQUIRE(in_hand.back().send("x\n"));
    REQUIRE(in_hand.back().read_line() == "x\n");
  }
  const visit normal = [&](std::uint16_t) {
    return timed([&] { return in_hand.front().send("hello\n") && in_hand.front().read_line() == "hello\n"; });
  };
  const auto quiet = p99(visits(port, normal, 200).normal);
  stall crowd(port, many, keep_sending, false);
  const auto during = visits(port, normal, 200);
  const auto cuts = compare(crowd.wait(limit + 4000ms), static_cast<double>(limit.count()));
  tell("refused, send and never read", quiet, p99(during.normal), cuts);
  CHECK(cuts.in_time == many);
  CHECK(std::abs(cuts.worst) <= 0.1);
  CHECK(during.not_served == 0);
  CHECK(p99(during.normal) <= bound(quiet));
  for (auto& each : in_hand) each.half_close();
  CHECK(eventually([&] { return one.kids().empty(); }));
  const stopwatch recovery;
  CHECK(echo_visit(port));
  CHECK(recovery.elapsed() < 1000ms);
  CHECK(one.stop() == 0);
}

TEST_CASE("the refused read all of the refusal and see no reset, also those that are still sending", "[refusal]") {
  const int count = soak() ? 10000 : 500;
  server one({"--policy=forking", "--process=hold", "--io-timeout=600", "--maxfork=1",
              "--maxforked-text=too many clients, come again\n"});
  const auto port = one.port();
  client holder(port);
  one.trace().wait_for({.hook = "on_process"});
  std::atomic<int> next{0}, clean{0};
  std::vector<std::thread> crowd;
  for (int part = 0; part < 8; ++part)
    crowd.emplace_back([&] {
      const std::string much(20000, 'x');
      for (int number = 0; (number = next++) < count;) {
        client refused(port);
        const bool sends = number % 2 == 0;
        if (sends) refused.send(much);
        const auto got = refused.read_all();
        clean += got == answer("too many clients, come again\n");
      }
    });
  for (auto& each : crowd) each.join();
  std::cout << "refused: " << clean << " of " << count << " read all and saw no reset\n";
  CHECK(clean * 1000L >= count * 999L);
  CHECK(holder.ask("go\n") == answer("held\n"));
  CHECK(one.stop() == 0);
}
