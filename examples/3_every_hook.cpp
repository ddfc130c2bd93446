// A server that shows what happens: each hook appends a line to a trace, and tells in which process it runs and what is known there.
//
//   $ 3_every_hook --policy prefork --prefork 2 --port 9123 --trace /dev/stdout &
//   $ socat - TCP:localhost:9123
//   hello world
//
// All compositions of policies are in it, every option is a flag, and trouble can be asked for; --help lists the flags.
#include "support/every_hook_settings.hpp"
#include "support/self_signed.hpp"

#include <waiter/process/pool_limits.hpp>
#include <waiter/ssl.hpp>
#include <waiter/upgrade.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

using every_hook::settings;

/// One write(2) for each line, to a file that all processes append to, so that lines are whole and in order.
class trace_file {
 public:
  explicit trace_file(const std::string& path) {
    if (!path.empty() && (fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) < 0)
      every_hook::refuse("--trace: '" + path + "' cannot be opened");
  }
  void line(const std::string& text) const {
    if (fd_ >= 0) [[maybe_unused]]
      const auto written = ::write(fd_, text.data(), text.size());
  }

 private:
  int fd_ = -1;
};

template <class ForkPolicy, class TransportPolicy>
class tracing_server : public waiter::basic_waiter<tracing_server<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy> {
  using base = waiter::basic_waiter<tracing_server, ForkPolicy, TransportPolicy>;

 public:
  using typename base::client_type;
  using typename base::options;

  tracing_server(const settings& asked, options given) : base(std::move(given)), asked_(asked), trace_(asked.trace) {}

 private:
  friend waiter::hook_access;

  // In order of life.
  void on_server_begin() {
    const auto limits = waiter::effective_pool_limits(asked_.prefork, asked_.maxfork, asked_.px_idle);
    happened("on_server_begin", "timeout_ms", waiter::effective_timeout(asked_.timeout).count(), "prefork", limits.prefork, "maxfork",
             limits.maxfork, "px_idle_ms", limits.px_idle.count());
  }
  void on_listen_ok() {
    if (asked_.nofile > 0) {
      const rlimit limit{static_cast<rlim_t>(asked_.nofile), static_cast<rlim_t>(asked_.nofile)};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    std::string places;
    for (const auto& place : this->get_listen_places()) places.append(places.empty() ? "" : ", ").append(place);
    this->log("listening on ", places);
    happened("on_listen_ok", "port", this->get_port(), "places", places);
  }
  void on_accept_error(waiter::error_code error) { happened("on_accept_error", "error", error.message()); }
  void on_accept_ok(client_type& client) { happened("on_accept_ok", "peer", client.peer()); }
  void on_maxforked(client_type& client) {
    waiter::error_code error;
    client.write(asked_.maxforked_text, error);
    happened("on_maxforked", "peer", client.peer(), "error", error.message());
  }
  void on_fork_ok(pid_t pid) { happened("on_fork_ok", "pid", pid); }
  void on_child_start() { happened("on_child_start"); }
  void on_ssl_error(std::string_view message) { happened("on_ssl_error", "error", message); }
  bool on_process(client_type& client) {
    happened("on_process", "peer", client.peer());
    return process(client);
  }
  void on_child_overtime() { happened("on_child_overtime"); }
  void on_exception(std::exception_ptr thrown) {
    std::string what = "unknown";
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
      what = exception.what();
    } catch (...) {
    }
    happened("on_exception", "error", what);
    if (asked_.rethrow) std::rethrow_exception(thrown);
  }
  void on_close(client_type& client) { happened("on_close", "peer", client.peer()); }
  void on_child_exit() { happened("on_child_exit"); }
  void on_forking_idle() { happened("on_forking_idle"); }
  void on_prefork_child_idle() { happened("on_prefork_child_idle"); }
  void on_sig_child(pid_t pid, int status) { happened("on_sig_child", "pid", pid, "status", status); }
  void on_sig_hup() {
    if (asked_.reload_on_hup) this->reload();
    if (asked_.propagate.empty()) return happened("on_sig_hup");
    happened("on_sig_hup", "error", this->propagate_signal(asked_.propagate).message());
  }
  void on_sig_usr1() { happened("on_sig_usr1"); }
  void on_sig_usr2() {
    happened("on_sig_usr2");
    if (asked_.upgrade_on_usr2) this->upgrade();
  }
  void on_child_sig_hup() { happened("on_child_sig_hup"); }
  void on_child_sig_usr1() { happened("on_child_sig_usr1"); }
  void on_child_sig_usr2() { happened("on_child_sig_usr2"); }
  void on_reload() { happened("on_reload"); }
  void on_upgrade_failed(std::string_view reason) { happened("on_upgrade_failed", "error", reason); }
  void on_server_close() { happened("on_server_close"); }

  /// What --process asks for. No exception for a client that has gone: that is no news here.
  bool process(client_type& client) {
    const std::string_view what = asked_.process;
    waiter::error_code error;
    if (what == "throw") throw std::runtime_error("thrown in on_process");
    if (what.starts_with("exit=")) ::_exit(every_hook::number<int>("--process exit", what.substr(5)));
    if (what == "echo") {
      while (const auto line = client.read_line(error)) client.write(*line + "\n", error);
    } else if (what == "hold") {
      if (client.read_line(error)) client.write("held\n", error);
    } else if (what.starts_with("sleep=")) {
      std::this_thread::sleep_for(every_hook::seconds("--process sleep", what.substr(6)));
      client.write("slept\n", error);
    } else {
      client.write("hello world\n", error);
    }
    return what != "false";
  }

  /// Writes the trace, and makes the trouble that was asked for.
  template <class... Arguments>
  void happened(std::string_view hook, const Arguments&... arguments) {
    const auto [busy, kids] = this->get_busy_kids_count();
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
    std::ostringstream line;
    line << since.count() << (::getpid() == this->get_parent_pid() ? " P " : " C ") << ::getpid() << ' ' << hook << " busy=" << busy
         << " kids=" << kids << " is_child=" << this->is_child() << " stopping=" << this->is_stopping()
         << " parent=" << this->get_parent_pid() << " ssl=" << this->ssl_in_use() << " server_socket=" << (this->get_server_socket() >= 0)
         << " client_socket=" << (this->get_client_socket() >= 0) << " kid_pids=";
    const char* separator = "";
    for (const pid_t pid : this->get_kid_pids()) line << std::exchange(separator, ",") << pid;
    put(line, arguments...);
    line << '\n';
    trace_.line(line.str());

    if (hook == asked_.break_in || (hook == asked_.break_in_child && this->is_child())) this->break_main_loop();
    if (hook == asked_.throw_in && thrown_by_ != ::getpid()) {
      thrown_by_ = ::getpid();
      throw std::runtime_error("thrown in " + std::string(hook));
    }
  }

  static void put(std::ostringstream&) {}
  template <class Value, class... Rest>
  static void put(std::ostringstream& line, const char* key, const Value& value, const Rest&... rest) {
    std::ostringstream text;
    text << value;
    std::string word = text.str();
    std::replace_if(word.begin(), word.end(), [](char one) { return one == ' ' || one == '\n'; }, '_');
    line << ' ' << key << '=' << word;
    put(line, rest...);
  }

  const settings& asked_;
  trace_file trace_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  pid_t thrown_by_ = 0;
};

template <class ForkPolicy>
typename ForkPolicy::options fork_options(const settings& asked) {
  typename ForkPolicy::options options;
  if constexpr (requires { options.prefork; }) {
    options.prefork = asked.prefork;
    options.px_idle = asked.px_idle;
    options.max_requests = asked.max_requests;
    options.max_requests_spread = asked.max_requests_spread;
    options.max_age = asked.max_age;
    options.max_age_spread = asked.max_age_spread;
    options.drain_limit = asked.drain_limit;
    options.max_old_generations = asked.max_old_generations;
  }
  if constexpr (requires { options.maxfork; }) {
    options.maxfork = asked.maxfork;
    options.soft_limit = asked.soft_limit;
    options.hard_limit = asked.hard_limit;
  }
  return options;
}

waiter::ssl_options ssl_options(const settings& asked) {
  static std::optional<waiter_examples::self_signed> made;
  const bool own = asked.cert.empty() && asked.key.empty();
  if (own) made.emplace();
  const auto verify = asked.verify == "require" || asked.verify == "3"   ? waiter::verify::require
                      : asked.verify == "request" || asked.verify == "1" ? waiter::verify::request
                                                                         : waiter::verify::none;
  return {.cert_file = own ? made->cert_file() : asked.cert,
          .key_file = own ? made->key_file() : asked.key,
          .ca_file = asked.ca,
          .verify_mode = verify,
          .handshake_timeout = asked.handshake_timeout};
}

template <class ForkPolicy, class TransportPolicy>
int run(const settings& asked) {
  using server_type = tracing_server<ForkPolicy, TransportPolicy>;
  typename server_type::options options{.port = asked.port,
                                        .address = asked.address,
                                        .listen = asked.listen,
                                        .unix_mode = asked.unix_mode,
                                        .timeout = asked.timeout,
                                        .grace = asked.grace,
                                        .prop_sigusr = asked.prop_sigusr,
                                        .debug = asked.debug,
                                        .io_timeout = asked.io_timeout,
                                        .client_timeout = asked.client_timeout,
                                        .min_rate = asked.min_rate,
                                        .max_handshakes = asked.max_handshakes,
                                        .linger = asked.linger,
                                        .upgrade = {.program = asked.upgrade_program, .within = asked.upgrade_within},
                                        .fork = fork_options<ForkPolicy>(asked)};
  if constexpr (server_type::ssl_in_use()) options.transport = ssl_options(asked);
  server_type server(asked, std::move(options));
  int result = 0;
  for (int time = 0; time < asked.runs; ++time) result = asked.inetd ? server.run_for(0) : server.run();
  return result;
}

template <class ForkPolicy>
int run(const settings& asked) {
  if (asked.transport == "plain") return run<ForkPolicy, waiter::plain>(asked);
  return run<ForkPolicy, waiter::ssl>(asked);
}

int main(int argc, char** argv) try {
  const settings asked = every_hook::parse(argc, argv);
  if (asked.policy == "nofork") return run<waiter::nofork>(asked);
  if (asked.policy == "forking") return run<waiter::forking>(asked);
  return run<waiter::prefork>(asked);
} catch (const std::exception& exception) {
  std::cerr << "3_every_hook: run() threw: " << exception.what() << '\n';
  return 1;
}
