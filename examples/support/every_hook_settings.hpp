// The command line of 3_every_hook.
#ifndef WAITER_EXAMPLES_SUPPORT_EVERY_HOOK_SETTINGS_HPP
#define WAITER_EXAMPLES_SUPPORT_EVERY_HOOK_SETTINGS_HPP

#include <waiter/hook.hpp>
#include <waiter/hook_name.hpp>
#include <waiter/options.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace every_hook {

inline constexpr std::string_view usage = R"(usage: 3_every_hook [FLAGS]      --flag VALUE or --flag=VALUE; the last one counts
times are in seconds, fractions allowed, and `never` is a time that does not end
  --policy nofork|forking|prefork    who serves (forking)      --transport plain|ssl   what carries the bytes (plain)
  --port N --address A               where to listen: a free port (0) of 0.0.0.0 unless given; the log and on_listen_ok tell which
  --listen PLACE                     in their place, any number of "127.0.0.1:80", "unix:/run/x.sock", "inherited", ...
  --unix-mode OCTAL                  the mode of UNIX sockets
  --inetd                            listens nowhere: serves the client that is its standard input
  --prefork N --maxfork N --px-idle S                          the pool, and when its kids are replaced:
  --max-requests N --max-requests-spread N --max-age S --max-age-spread S --drain-limit S --max-old-generations N
  --timeout S --grace S --prop-sigusr --debug                  the server; the last two may be given true or false
  --io-timeout S --client-timeout S --linger S --handshake-timeout S     the clients
  --min-rate BYTES --max-handshakes N --soft-limit S --hard-limit S      the patience with them
  --cert FILE --key FILE --ca FILE --verify none|request|require         TLS; verify also as 0, 1, 3 (SSL_verify_mode);
                                     without --cert and --key it makes itself a certificate
  --process hello|echo|hold|sleep=S|throw|exit=N|false         what on_process does (hello)
  --maxforked-text TEXT              what on_maxforked writes
  --break-in HOOK                    calls break_main_loop() there; --break-in-child HOOK: in kids only
  --throw-in HOOK                    throws there, the first time in each process; --rethrow: on_exception throws it on
  --propagate NAME                   on_sig_hup sends this signal to all kids; --reload-on-hup: it calls reload()
  --upgrade-on-usr2                  on_sig_usr2 calls upgrade(); --upgrade-program FILE, --upgrade-within S: what it starts
  --nofile N                         lowers RLIMIT_NOFILE in on_listen_ok
  --runs N                           calls run() so often
  --trace FILE                       one line for each hook, appended
  --help                             this, and nothing else
)";

/// What was asked for; the names are those of the flags.
struct settings {
  std::string policy = "forking", transport = "plain", process = "hello", address = "0.0.0.0";
  std::string cert, key, ca, verify = "none", trace, break_in, break_in_child, throw_in, propagate, upgrade_program;
  std::string maxforked_text = "too many clients\n";
  std::vector<std::string> listen;
  unsigned unix_mode = 0;
  std::uint16_t port = 0;
  int prefork = 8, maxfork = 0, runs = 1, nofile = 0;
  int max_requests = 0, max_requests_spread = -1, max_old_generations = 2;
  waiter::milliseconds max_age = waiter::never, max_age_spread{-1}, drain_limit{30000};
  waiter::milliseconds timeout{4000}, grace{8000}, px_idle{31000}, io_timeout{60000}, client_timeout = waiter::never;
  waiter::milliseconds linger{2000}, handshake_timeout{10000}, soft_limit = waiter::never, hard_limit = waiter::never;
  waiter::milliseconds upgrade_within{30000};
  std::uint32_t min_rate = 0;
  int max_handshakes = 0;
  bool inetd = false, prop_sigusr = false, debug = false, rethrow = false, reload_on_hup = false, upgrade_on_usr2 = false;
};

/// Says what is wrong with the command line, in one sentence, and ends the program.
[[noreturn]] inline void refuse(const std::string& what) {
  std::cerr << "3_every_hook: " << what << " (--help lists the flags)\n";
  std::exit(2);
}

template <class Number>
Number number(std::string_view flag, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return value;
  refuse(std::string(flag) + " takes a number" +
         (std::is_integral_v<Number> ? " from " + std::to_string(std::numeric_limits<Number>::min()) + " to " +
                                           std::to_string(std::numeric_limits<Number>::max())
                                     : std::string()) +
         ", not '" + std::string(text) + "'");
}

inline waiter::milliseconds seconds(std::string_view flag, std::string_view text) {
  if (text == "never") return waiter::never;
  const auto value = number<double>(flag, text);
  // A century; from_chars(3) also reads "nan" and "inf", and milliseconds have an end.
  if (!(std::abs(value) < 3.2e9)) refuse(std::string(flag) + " takes seconds, or `never`, not '" + std::string(text) + "'");
  return std::chrono::round<waiter::milliseconds>(std::chrono::duration<double>(value));
}

inline unsigned octal(std::string_view flag, std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error == std::errc() && end == text.data() + text.size() && value <= 0777) return value;
  refuse(std::string(flag) + " takes a mode from 0 to 777, not '" + std::string(text) + "'");
}

inline std::string one_of(std::string_view flag, std::string_view text, const std::vector<std::string_view>& words) {
  std::string all;
  for (const auto word : words) {
    if (word == text) return std::string(text);
    all.append(all.empty() ? "" : ", ").append(word);
  }
  refuse(std::string(flag) + " takes one of " + all + ", not '" + std::string(text) + "'");
}

inline std::string hook_called(std::string_view flag, std::string_view text) {
  for (int each = 0; each <= static_cast<int>(waiter::hook::on_server_close); ++each)
    if (waiter::name_of(static_cast<waiter::hook>(each)) == text) return std::string(text);
  refuse(std::string(flag) + " takes the name of a hook, as in on_listen_ok, not '" + std::string(text) + "'");
}

/// What --process says, once it is known to mean something.
inline std::string way_to_process(std::string_view flag, std::string_view text) {
  if (text.starts_with("sleep=")) {
    const auto time = seconds("--process sleep=", text.substr(6));
    if (time < waiter::milliseconds::zero() || time == waiter::never) refuse("--process sleep= takes seconds from 0 on");
  } else if (text.starts_with("exit=")) {
    number<std::uint8_t>("--process exit=", text.substr(5));
  } else {
    one_of(flag, text, {"hello", "echo", "hold", "sleep=SECONDS", "throw", "exit=N", "false"});
  }
  return std::string(text);
}

inline settings parse(int argc, char** argv) {
  settings all;
  using reader = std::function<void(std::string_view flag, std::string_view value)>;
  const auto text = [](std::string& to) -> reader { return [&to](auto, auto value) { to = value; }; };
  const auto word = [](std::string& to, const std::vector<std::string_view>& words) -> reader {
    return [&to, words](auto flag, auto value) { to = one_of(flag, value, words); };
  };
  const auto hook = [](std::string& to) -> reader { return [&to](auto flag, auto value) { to = hook_called(flag, value); }; };
  const auto count = [](auto& to) -> reader {
    return [&to](auto flag, auto value) { to = number<std::remove_reference_t<decltype(to)>>(flag, value); };
  };
  const auto time = [](waiter::milliseconds& to) -> reader { return [&to](auto flag, auto value) { to = seconds(flag, value); }; };
  const std::map<std::string_view, reader> with_value{
      {"--policy", word(all.policy, {"nofork", "forking", "prefork"})},
      {"--transport", word(all.transport, {"plain", "ssl"})},
      {"--verify", word(all.verify, {"none", "request", "require", "0", "1", "3"})},
      {"--process", [&all](auto flag, auto value) { all.process = way_to_process(flag, value); }},
      {"--break-in", hook(all.break_in)},
      {"--break-in-child", hook(all.break_in_child)},
      {"--throw-in", hook(all.throw_in)},
      {"--address", text(all.address)},
      {"--listen", [&all](auto, auto value) { all.listen.emplace_back(value); }},
      {"--unix-mode", [&all](auto flag, auto value) { all.unix_mode = octal(flag, value); }},
      {"--cert", text(all.cert)},
      {"--key", text(all.key)},
      {"--ca", text(all.ca)},
      {"--trace", text(all.trace)},
      {"--propagate", text(all.propagate)},
      {"--upgrade-program", text(all.upgrade_program)},
      {"--maxforked-text", text(all.maxforked_text)},
      {"--port", count(all.port)},
      {"--prefork", count(all.prefork)},
      {"--maxfork", count(all.maxfork)},
      {"--max-requests", count(all.max_requests)},
      {"--max-requests-spread", count(all.max_requests_spread)},
      {"--max-age", time(all.max_age)},
      {"--max-age-spread", time(all.max_age_spread)},
      {"--drain-limit", time(all.drain_limit)},
      {"--max-old-generations", count(all.max_old_generations)},
      {"--runs", count(all.runs)},
      {"--nofile", count(all.nofile)},
      {"--min-rate", count(all.min_rate)},
      {"--max-handshakes", count(all.max_handshakes)},
      {"--timeout", time(all.timeout)},
      {"--grace", time(all.grace)},
      {"--px-idle", time(all.px_idle)},
      {"--io-timeout", time(all.io_timeout)},
      {"--client-timeout", time(all.client_timeout)},
      {"--linger", time(all.linger)},
      {"--soft-limit", time(all.soft_limit)},
      {"--hard-limit", time(all.hard_limit)},
      {"--handshake-timeout", time(all.handshake_timeout)},
      {"--upgrade-within", time(all.upgrade_within)},
  };
  const std::map<std::string_view, bool*> switches{
      {"--inetd", &all.inetd}, {"--prop-sigusr", &all.prop_sigusr}, {"--debug", &all.debug}, {"--rethrow", &all.rethrow}, {"--reload-on-hup", &all.reload_on_hup},
      {"--upgrade-on-usr2", &all.upgrade_on_usr2}};
  const std::map<std::string_view, bool> on_or_off{{"true", true}, {"1", true}, {"false", false}, {"0", false}};

  for (int at = 1; at < argc; ++at) {
    const std::string_view argument = argv[at];
    if (argument == "--help" || argument == "-h") std::cout << usage, std::exit(0);
    const auto equals = argument.find('=');
    const auto flag = argument.substr(0, equals);
    if (const auto found = switches.find(flag); found != switches.end()) {
      *found->second = true;
      const auto value = equals != argument.npos ? on_or_off.find(argument.substr(equals + 1))
                                                 : at + 1 < argc ? on_or_off.find(argv[at + 1]) : on_or_off.end();
      if (value != on_or_off.end())
        *found->second = value->second, at += equals == argument.npos;
      else if (equals != argument.npos)
        refuse(std::string(flag) + " takes true or false, not '" + std::string(argument.substr(equals + 1)) + "'");
      continue;
    }
    const auto found = with_value.find(flag);
    if (found == with_value.end()) refuse("there is no flag '" + std::string(argument) + "'");
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
