// The server that the tests of upgrades start: USR2 makes it start its successor, and each client is told which generation serves.
//
//   --trace=FILE --policy=nofork|forking|prefork --transport=plain|ssl --listen=PLACE --port=N --prefork=N --grace=MS
//   --program=FILE         what an upgrade starts (this program)        --within=MS   and how long that may take until it serves
//   --work=MS              a client takes so long                       --hold        or until it has said a line
//   --trouble=FILE         while FILE is there, a server that starts does what it says:
//                            exit, crash, hang: at once                 bad: its options contradict each other
//                            deaf: closes all descriptors, and hangs    slow: takes its time, and so do its kids
//                            elsewhere: listens on another port
#include "support/self_signed.hpp"

#include <waiter/ssl.hpp>
#include <waiter/upgrade.hpp>
#include <waiter/waiter.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct settings {
  std::map<std::string, std::string, std::less<>> given;
  std::string trouble;

  std::string text(std::string_view name, std::string otherwise = "") const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : found->second;
  }
  int number(std::string_view name, int otherwise = 0) const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : std::stoi(found->second);
  }
  bool has(std::string_view name) const { return given.contains(name); }
};

settings parse(int argc, char** argv) {
  settings all;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    const auto equals = word.find('=');
    all.given[word.substr(2, equals == word.npos ? word.npos : equals - 2)] = equals == word.npos ? "" : word.substr(equals + 1);
  }
  std::ifstream(all.text("trouble")) >> all.trouble;
  return all;
}

void pause(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

/// A line of /proc/self/status, as SigIgn.
std::string status(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return line.substr(line.rfind('\t') + 1);
  return "?";
}

template <class ForkPolicy, class TransportPolicy>
class upgrading : public waiter::basic_waiter<upgrading<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy> {
  using base = waiter::basic_waiter<upgrading, ForkPolicy, TransportPolicy>;

 public:
  using typename base::client_type;
  using typename base::options;

  upgrading(const settings& asked, options given, int trace) : base(std::move(given)), asked_(asked), trace_(trace) {}

  template <class... Rest>
  void happened(std::string_view hook, const Rest&... rest) const {
    std::ostringstream line;
    const pid_t parent = this->get_parent_pid();
    line << "0 " << (parent == 0 || parent == ::getpid() ? "P " : "C ") << ::getpid() << ' ' << hook;
    put(line, rest...);
    line << '\n';
    const auto text = line.str();
    [[maybe_unused]] const auto written = ::write(trace_, text.data(), text.size());
  }

 private:
  friend waiter::hook_access;

  void on_server_begin() {
    happened("on_server_begin");
    if (asked_.trouble == "crash") std::abort();
    if (asked_.trouble == "deaf") {
      for (int one = 3; one < 100; ++one) ::close(one);
    }
    if (asked_.trouble == "hang" || asked_.trouble == "deaf") pause(60000);
    if (asked_.trouble == "slow") pause(60);
  }
  void on_listen_ok() {
    int descriptors = 0;
    for (int one = 0; one < 100; ++one) descriptors += ::fcntl(one, F_GETFD) != -1;
    happened("on_listen_ok", "port", this->get_port(), "descriptors", descriptors, "places", this->get_listen_places().size());
  }
  void on_child_start() {
    if (asked_.trouble == "slow" && this->get_parent_pid() != ::getpid()) pause(::getpid() % 8 * 20);
  }
  void on_process(client_type& client) {
    waiter::error_code error;
    if (asked_.has("hold")) {
      happened("on_process");
      if (!client.read_line(error)) return;
    }
    if (asked_.number("work") > 0) std::this_thread::sleep_for(std::chrono::milliseconds(asked_.number("work")));
    client.write(std::to_string(this->get_parent_pid()) + "\n", error);
  }
  void on_sig_usr2() {
    happened("on_sig_usr2");
    this->upgrade();
  }
  void on_upgrade_failed(std::string_view reason) {
    std::string words(reason);
    for (auto& one : words) one = one == ' ' ? '_' : one;
    happened("on_upgrade_failed", "reason", words);
  }
  void on_server_close() { happened("on_server_close"); }

  static void put(std::ostringstream&) {}
  template <class Value, class... Rest>
  static void put(std::ostringstream& line, const char* key, const Value& value, const Rest&... rest) {
    line << ' ' << key << '=' << value;
    put(line, rest...);
  }

  const settings& asked_;
  const int trace_;
};

template <class ForkPolicy, class TransportPolicy>
int serve(const settings& asked) {
  using server_type = upgrading<ForkPolicy, TransportPolicy>;
  typename server_type::options options;
  options.grace = waiter::milliseconds(asked.number("grace", 8000));
  options.upgrade.program = asked.text("program");
  if (!options.upgrade.program.empty()) options.upgrade.arguments = waiter::program_starter::own.arguments, options.upgrade.arguments->erase(options.upgrade.arguments->begin());
  options.upgrade.within = waiter::milliseconds(asked.number("within", 30000));
  if (asked.trouble == "bad") options.backlog = -1;
  if (asked.trouble == "elsewhere") options.address = "127.0.0.9";
  else if (asked.has("listen")) options.listen = {asked.text("listen")};
  else options.port = static_cast<std::uint16_t>(asked.number("port"));
  if constexpr (requires { options.fork.prefork; }) options.fork.prefork = asked.number("prefork", 8);
  std::optional<waiter_examples::self_signed> certificate;
  if constexpr (server_type::ssl_in_use()) {
    certificate.emplace();
    options.transport.cert_file = certificate->cert_file();
    options.transport.key_file = certificate->key_file();
  }
  const int trace = ::open(asked.text("trace").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  server_type server(asked, std::move(options), trace);
  server.happened("on_started", "ignored", status("SigIgn:"), "blocked", status("SigBlk:"), "name", waiter::program_starter::own.arguments.front());
  return server.run();
}

template <class ForkPolicy>
int serve(const settings& asked) {
  return asked.text("transport") == "ssl" ? serve<ForkPolicy, waiter::ssl>(asked) : serve<ForkPolicy, waiter::plain>(asked);
}

}  // namespace

int main(int argc, char** argv) {
  const settings asked = parse(argc, argv);
  if (asked.trouble == "exit") return 3;
  const auto policy = asked.text("policy", "prefork");
  if (policy == "nofork") return serve<waiter::nofork>(asked);
  if (policy == "forking") return serve<waiter::forking>(asked);
  return serve<waiter::prefork>(asked);
}
