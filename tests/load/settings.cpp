#include "settings.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <string_view>
#include <variant>

namespace load {
namespace {

[[noreturn]] void usage(const std::string& wrong) {
  std::cerr << "load: " << wrong << "; see the head of tests/load/load.cpp\n";
  std::exit(2);
}

template <class Number>
Number number(std::string_view flag, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) usage(std::string(flag) + " takes a number");
  return value;
}

void parse_address(settings& all, const char* host, std::string_view port_text) {
  const auto port = htons(number<std::uint16_t>("PORT", port_text));
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, host, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = port;
    all.spread = ntohl(four.sin_addr.s_addr) >> 24 == 127;
    std::memcpy(&all.to, &four, all.size = sizeof four);
  } else if (::inet_pton(AF_INET6, host, &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = port;
    std::memcpy(&all.to, &six, all.size = sizeof six);
  } else {
    usage("HOST is an address in numbers");
  }
}

using place = std::variant<bool*, int*, long*, double*, std::string*, milliseconds*>;

}  // namespace

settings parse(int argc, char** argv) {
  settings all;
  if (argc < 3) usage("HOST and PORT are wanted");
  parse_address(all, argv[1], argv[2]);

  long say_bytes = 0;
  const std::map<std::string_view, place> flags{
      {"--clients", &all.clients},       {"--rate", &all.rate},         {"--seconds", &all.seconds},
      {"--count", &all.count},           {"--patience", &all.patience}, {"--say", &all.say},
      {"--say-bytes", &say_bytes},       {"--expect", &all.expect},     {"--requests", &all.requests},
      {"--half-close", &all.half_close}, {"--slow-every", &all.slow_every}, {"--slow-say", &all.slow_say},
      {"--tls", &all.tls},               {"--tls12", &all.tls12},       {"--resume", &all.resume},
      {"--until-stop", &all.until_stop}, {"--reset", &all.reset},       {"--congestion", &all.congestion},
  };
  for (int at = 3; at < argc; ++at) {
    const std::string_view flag = argv[at];
    const auto found = flags.find(flag);
    if (found == flags.end()) usage("there is no flag " + std::string(flag));
    if (bool* const* on = std::get_if<bool*>(&found->second)) {
      **on = true;
      continue;
    }
    if (++at >= argc) usage(std::string(flag) + " takes a value");
    const std::string_view value = argv[at];
    if (int* const* whole = std::get_if<int*>(&found->second)) **whole = number<int>(flag, value);
    if (long* const* large = std::get_if<long*>(&found->second)) **large = number<long>(flag, value);
    if (double* const* real = std::get_if<double*>(&found->second)) **real = number<double>(flag, value);
    if (std::string* const* text = std::get_if<std::string*>(&found->second)) **text = value;
    if (milliseconds* const* time = std::get_if<milliseconds*>(&found->second))
      **time = milliseconds(static_cast<long>(1000 * number<double>(flag, value)));
  }
  if (say_bytes > 0) all.say = std::string(static_cast<std::size_t>(say_bytes - 1), 'x') + '\n';
  if (all.requests > 0 && all.say.empty()) usage("--requests needs something to say");
  if (all.requests > 0 && !all.expect.empty()) usage("--requests and --expect are two ways to know an answer");
  if (all.slow_every > 0 && all.slow_say.empty()) usage("--slow-every needs --slow-say");
#ifndef WAITER_LOAD_TLS
  if (all.tls) usage("this one was built without OpenSSL");
#endif
  return all;
}

}  // namespace load
