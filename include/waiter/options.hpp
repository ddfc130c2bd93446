#ifndef WAITER_OPTIONS_HPP
#define WAITER_OPTIONS_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waiter {

using milliseconds = std::chrono::milliseconds;

/// A time that does not end: lifts a deadline where one is the default.
inline constexpr milliseconds never = milliseconds::max();

/// How `upgrade()` starts the program that takes a server's place.
struct upgrade_options {
  /// Its file. Empty: where the file of this program stood when it was started, so what has been put in its place since then is started.
  std::string program{};

  /// Its arguments, without its name. Nothing: those that this program was started with.
  std::optional<std::vector<std::string>> arguments{};

  /// How long it may take until it serves; then it is killed, and this server serves on. `waiter::never` waits for ever.
  milliseconds within{30000};
};

/// What every composition has. A policy's own options stand in `fork` and `transport`, so an option that the chosen policies do
/// not have does not compile.
template <class ForkPolicy, class TransportPolicy>
struct basic_options {
  /// The port to listen on. 0 lets the kernel choose one; `get_port()` tells which, from on_listen_ok on.
  std::uint16_t port = 0;

  /// The address to listen on, in numbers: "0.0.0.0" (all of IPv4), "::" (IPv6, and IPv4 where the system is dual stack), "127.0.0.1", …
  std::string address = "0.0.0.0";

  /// Where to listen, in place of `port` and `address`: any number of "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:@x" (a name
  /// of Linux's abstract namespace), "inherited" (all sockets that a service manager has passed, sd_listen_fds(3)), "fd:NAME" (those
  /// which it calls so). A client on a UNIX socket has a default endpoint as its `peer()`.
  std::vector<std::string> listen{};

  /// The mode of the UNIX sockets that `listen` asks for, as of a file: who may write to it may connect. 0 leaves it to the umask.
  unsigned unix_mode = 0;

  /// How many connections the kernel keeps ready until they are accepted. 0 means as many as the system allows (`somaxconn`);
  /// more than that is refused at start, because the kernel would cut it silently (listen(2)).
  int backlog = 0;

  /// Without a client for this long, the idle hook runs (on_forking_idle, on_prefork_child_idle). 0 means 4 s; kept within
  /// 1 s … 3600 s. It is no limit on clients: those are `io_timeout` and `client_timeout`.
  milliseconds timeout{4000};

  /// How long a stop waits for clients in hand and in the queue, counted from the moment the kids were told; then they are killed. 0
  /// means at once. In `nofork` the client's time is over then. A stop takes no more than this and 3 s, whatever the kids do.
  milliseconds grace{8000};

  /// Send SIGUSR1 and SIGUSR2 on to all kids, after the parent's own hook.
  bool prop_sigusr = false;

  /// Let `log_debug()` through.
  bool debug = false;

  /// A wait for a client, to read from it or to write to it, that takes longer than this fails with `error::timed_out`. `waiter::never`
  /// lifts it. A client that sends a byte now and then keeps it: that is what `client_timeout` and `min_rate` are for.
  milliseconds io_timeout{60000};

  /// A client's whole time, from the moment its handler starts; in the handler `client.expires_after()` sets another for one client.
  milliseconds client_timeout = never;

  /// The least rate of transfer, in bytes per second, over the time that the server waits for a client, the first 2 s free; a
  /// slower one fails with `error::too_slow`. 0 asks for nothing. It cuts those who send a byte now and then to keep a process.
  std::uint32_t min_rate = 0;

  /// So many clients at once may be in their handshake (TLS). When one more comes, the one that has been at it for longest gives way: it
  /// is closed (on_ssl_error, on_close), so those who say nothing take no place from those who do. Fewer than `maxfork`, or there is no
  /// place for the one that comes. 0 means no such limit. Without kids (nofork), and without a handshake (plain), it has no effect.
  int max_handshakes = 0;

  /// A client that is finished is half-closed; when bytes from it are unread by then, or it was refused, what it still sends is thrown
  /// away until it closes too, for at most this long. Without that the kernel would answer with a reset, and the client might lose
  /// the last bytes sent to it (RFC 1122, 4.2.2.13). 0 closes at once. A process that has others to look after stays with nobody for
  /// longer than 10 s. Where clients are usually silent to their end, the half-close is left out for one more that is: a client that speaks
  /// for the first time in that very moment gets a reset behind the last byte (docs/architecture.md).
  milliseconds linger{2000};

  /// What `upgrade()` starts.
  upgrade_options upgrade{};

  /// Tell the service manager that started this process (`NOTIFY_SOCKET`, sd_notify(3)) when the server is ready, stops, lives (the
  /// watchdog) and how many kids are busy. Kids tell nothing, and the environment forgets the manager. Without one it has no effect.
  bool notify = true;

  /// Receives every line of `log()`; empty means standard error. It is called in the process that logs.
  std::function<void(std::string_view line)> logger{};

  /// The fork policy's own options.
  typename ForkPolicy::options fork{};

  /// The transport's own options.
  typename TransportPolicy::options transport{};
};

/// `timeout` as it is used: 0 is 4 s, and the rest is kept within 1 s … 3600 s.
constexpr milliseconds effective_timeout(milliseconds timeout) {
  using std::chrono::seconds;
  if (timeout == milliseconds::zero()) return seconds(4);
  return std::clamp<milliseconds>(timeout, seconds(1), seconds(3600));
}

}  // namespace waiter

#endif
