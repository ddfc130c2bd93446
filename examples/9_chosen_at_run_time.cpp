// Policies are types, and yet a user may choose them on the command line: the handler is a template, and each choice is one line.
//
//   $ 9_chosen_at_run_time --policy prefork --transport ssl 9123 &
//   $ openssl s_client -quiet -connect localhost:9123
//   hello from prefork over ssl, process 4711
//
// 9_chosen_at_run_time [--policy nofork|forking|prefork] [--transport plain|ssl] [PORT]
#include "support/port.hpp"
#include "support/self_signed.hpp"

#include <waiter/ssl.hpp>

#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <optional>
#include <string_view>

// In a template the base class's names must be asked for: `this->log`, `typename base::client_type`.
template <class ForkPolicy, class TransportPolicy>
struct greeter : waiter::basic_waiter<greeter<ForkPolicy, TransportPolicy>, ForkPolicy, TransportPolicy> {
  using base = waiter::basic_waiter<greeter, ForkPolicy, TransportPolicy>;
  using base::base;
  using typename base::client_type;

  void on_listen_ok() { this->log("listening on port ", this->get_port()); }
  void on_process(client_type& client) {
    client.stream() << "hello from " << ForkPolicy::name << " over " << TransportPolicy::name << ", process " << ::getpid()
                    << "\n";
  }
};

struct choice {
  std::string_view policy = "forking";
  std::string_view transport = "plain";
  std::uint16_t port = 9123;
};

// Options of every composition can be set here; a policy's own only where the policy is known, as below.
template <class ForkPolicy, class TransportPolicy>
int serve(const choice& chosen, typename TransportPolicy::options transport) {
  greeter<ForkPolicy, TransportPolicy> server{{.port = chosen.port, .transport = std::move(transport)}};
  return server.run();
}

template <class TransportPolicy>
int serve_by(const choice& chosen, const typename TransportPolicy::options& transport) {
  if (chosen.policy == "nofork") return serve<waiter::nofork, TransportPolicy>(chosen, transport);
  if (chosen.policy == "prefork") return serve<waiter::prefork, TransportPolicy>(chosen, transport);
  return serve<waiter::forking, TransportPolicy>(chosen, transport);
}

// Nothing when the words cannot be understood.
std::optional<choice> choose(int count, char** words) {
  choice chosen;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const std::string_view value = i + 1 < count ? words[i + 1] : "";
    if (word == "--policy" && (value == "nofork" || value == "forking" || value == "prefork")) {
      chosen.policy = value;
      ++i;
    } else if (word == "--transport" && (value == "plain" || value == "ssl")) {
      chosen.transport = value;
      ++i;
    } else if (const auto port = waiter_examples::to_port(word); port && i + 1 == count) {
      chosen.port = *port;
    } else {
      return std::nullopt;
    }
  }
  return chosen;
}

int main(int count, char** arguments) {
  const auto chosen = choose(count, arguments);
  if (!chosen) {
    std::cerr << "usage: 9_chosen_at_run_time [--policy nofork|forking|prefork] [--transport plain|ssl] [PORT], where PORT is 0 "
                 "to 65535\n";
    return 2;
  }
  if (chosen->transport == "plain") return serve_by<waiter::plain>(*chosen, {});
  const waiter_examples::self_signed certificate;
  return serve_by<waiter::ssl>(*chosen, {.cert_file = certificate.cert_file(), .key_file = certificate.key_file()});
}
