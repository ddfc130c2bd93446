// The command line of 3_every_hook.
#ifndef WAITER_EXAMPLES_SUPPORT_EVERY_HOOK_SETTINGS_HPP
#define WAITER_EXAMPLES_SUPPORT_EVERY_HOOK_SETTINGS_HPP

#include <waiter/options.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace every_hook {

inline constexpr std::string_view usage = R"(usage: 3_every_hook [FLAGS]      times are in seconds, fractions allowed; `never` lifts a limit
  --policy nofork|forking|prefork    who serves (forking)      --transport plain|ssl   what carries the bytes (plain)
  --port N --address A               where to listen (a free port of 0.0.0.0, told by on_listen_ok)
  --prefork N --maxfork N --px-idle S                          the pool
  --timeout S --grace S --prop-sigusr --debug                  the server
  --io-timeout S --client-timeout S --linger S --handshake-timeout S     the clients
  --min-rate BYTES --max-handshakes N --soft-limit S --hard-limit S      the patience with them
  --cert FILE --key FILE --ca FILE --verify none|request|require         TLS (without --cert it makes itself a certificate)
  --process hello|echo|hold|sleep=S|throw|exit=N|false         what on_process does (hello)
  --maxforked-text TEXT              what on_maxforked writes
  --break-in HOOK                    calls break_main_loop() there; --break-in-child HOOK: in kids only
  --throw-in HOOK                    throws there, the first time in each process; --rethrow: on_exception throws it on
  --propagate NAME                   on_sig_hup sends this signal to all kids
  --nofile N                         lowers RLIMIT_NOFILE in on_listen_ok
  --runs N                           calls run() so often
  --trace FILE                       one line for each hook
)";

/// What was asked for; the names are those of the flags.
struct settings {
  std::string policy = "forking", transport = "plain", process = "hello", address = "0.0.0.0";
  std::string cert, key, ca, verify = "none", trace, break_in, break_in_child, throw_in, propagate;
  std::string maxforked_text = "too many clients\n";
  std::uint16_t port = 0;
  int prefork = 8, maxfork = 0, runs = 1, nofile = 0;
  waiter::milliseconds timeout{4000}, grace{8000}, px_idle{31000}, io_timeout{60000}, client_timeout = waiter::never;
  waiter::milliseconds linger{2000}, handshake_timeout{10000}, soft_limit = waiter::never, hard_limit = waiter::never;
  std::uint32_t min_rate = 0;
  int max_handshakes = 0;
  bool prop_sigusr = false, debug = false, rethrow = false;
};

/// Says what is wrong with the command line, and ends the program.
[[noreturn]] inline void refuse(const std::string& what) {
  std::cerr << "3_every_hook: " << what << "\n\n" << usage;
  std::exit(2);
}

template <class Number>
Number number(std::string_view flag, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    refuse(std::string(flag) + " takes a number in its range, not '" + std::string(text) + "'");
  return value;
}

inline waiter::milliseconds seconds(std::string_view flag, std::string_view text) {
  if (text == "never") return waiter::never;
  return std::chrono::round<waiter::milliseconds>(std::chrono::duration<double>(number<double>(flag, text)));
}

/// `--flag value` and `--flag=value`.
inline settings parse(int argc, char** argv) {
  settings all;
  using reader = std::function<void(std::string_view flag, std::string_view value)>;
  const auto text = [](std::string& to) -> reader { return [&to](auto, auto value) { to = value; }; };
  const auto count = [](auto& to) -> reader {
    return [&to](auto flag, auto value) { to = number<std::remove_reference_t<decltype(to)>>(flag, value); };
  };
  const auto time = [](waiter::milliseconds& to) -> reader { return [&to](auto flag, auto value) { to = seconds(flag, value); }; };
  const std::map<std::string_view, reader> with_value{
      {"--policy", text(all.policy)}, {"--transport", text(all.transport)}, {"--process", text(all.process)},
      {"--address", text(all.address)}, {"--cert", text(all.cert)}, {"--key", text(all.key)}, {"--ca", text(all.ca)},
      {"--verify", text(all.verify)}, {"--trace", text(all.trace)}, {"--break-in", text(all.break_in)},
      {"--break-in-child", text(all.break_in_child)}, {"--throw-in", text(all.throw_in)}, {"--propagate", text(all.propagate)},
      {"--maxforked-text", text(all.maxforked_text)}, {"--port", count(all.port)}, {"--prefork", count(all.prefork)},
      {"--maxfork", count(all.maxfork)}, {"--runs", count(all.runs)}, {"--nofile", count(all.nofile)},
      {"--timeout", time(all.timeout)}, {"--grace", time(all.grace)}, {"--px-idle", time(all.px_idle)},
      {"--io-timeout", time(all.io_timeout)}, {"--client-timeout", time(all.client_timeout)}, {"--linger", time(all.linger)}, {"--soft-limit", time(all.soft_limit)},
      {"--hard-limit", time(all.hard_limit)}, {"--min-rate", count(all.min_rate)}, {"--max-handshakes", count(all.max_handshakes)},
      {"--handshake-timeout", time(all.handshake_timeout)}};
  const std::map<std::string_view, bool*> without{
      {"--prop-sigusr", &all.prop_sigusr}, {"--debug", &all.debug}, {"--rethrow", &all.rethrow}};

  for (int at = 1; at < argc; ++at) {
    const std::string_view argument = argv[at];
    if (argument == "--help") std::cout << usage, std::exit(0);
    if (const auto found = without.find(argument); found != without.end()) {
      *found->second = true;
      continue;
    }
    const auto equals = argument.find('=');
    const auto flag = argument.substr(0, equals);
    const auto found = with_value.find(flag);
    if (found == with_value.end()) refuse("there is no flag " + std::string(flag));
    if (equals != argument.npos)
      found->second(flag, argument.substr(equals + 1));
    else if (++at < argc)
      found->second(flag, argv[at]);
    else
      refuse(std::string(flag) + " takes a value");
  }
  return all;
}

}  // namespace every_hook

#endif
