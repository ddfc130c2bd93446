#ifndef WAITER_PROCESS_SIGNAL_NAME_HPP
#define WAITER_PROCESS_SIGNAL_NAME_HPP

#include <charconv>
#include <csignal>
#include <optional>
#include <string_view>
#include <system_error>

namespace waiter {

struct named_signal {
  std::string_view name;
  int number;
};

/// The signals that have a name here; of two names for one number, the first is the one `signal_name` gives.
inline constexpr named_signal named_signals[] = {
    {"SIGABRT", SIGABRT},     {"SIGALRM", SIGALRM}, {"SIGBUS", SIGBUS},   {"SIGCHLD", SIGCHLD}, {"SIGCONT", SIGCONT},
    {"SIGFPE", SIGFPE},       {"SIGHUP", SIGHUP},   {"SIGILL", SIGILL},   {"SIGINT", SIGINT},   {"SIGKILL", SIGKILL},
    {"SIGPIPE", SIGPIPE},     {"SIGPROF", SIGPROF}, {"SIGQUIT", SIGQUIT}, {"SIGSEGV", SIGSEGV}, {"SIGSTOP", SIGSTOP},
    {"SIGSYS", SIGSYS},       {"SIGTERM", SIGTERM}, {"SIGTRAP", SIGTRAP}, {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN},
    {"SIGTTOU", SIGTTOU},     {"SIGURG", SIGURG},   {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGVTALRM", SIGVTALRM},
    {"SIGXCPU", SIGXCPU},     {"SIGXFSZ", SIGXFSZ}, {"SIGIO", SIGIO},     {"SIGIOT", SIGIOT},   {"SIGWINCH", SIGWINCH},
#ifdef SIGPOLL
    {"SIGPOLL", SIGPOLL},
#endif
#ifdef SIGPWR
    {"SIGPWR", SIGPWR},
#endif
#ifdef SIGSTKFLT
    {"SIGSTKFLT", SIGSTKFLT},
#endif
};

/// "SIGUSR1" for 10; empty for a number without a name, as the real-time signals are.
constexpr std::string_view signal_name(int number) {
  for (const auto& each : named_signals)
    if (each.number == number) return each.name;
  return {};
}

/// The signal that a person means by "USR1", "SIGUSR1" or "10"; none when there is no such signal. Names are in capitals.
inline std::optional<int> signal_number(std::string_view text) {
  for (const auto& each : named_signals)
    if (text == each.name || text == each.name.substr(3)) return each.number;

  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < 1 || number >= NSIG) return std::nullopt;
  return number;
}

}  // namespace waiter

#endif
