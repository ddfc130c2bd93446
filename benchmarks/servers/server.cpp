// server WORK PORT KIDS [PEM] [OPTION...]: the library, measured. Compiled once for each composition, which FORK and TRANSPORT name.
//
// WORK is hello, echo, get, put or uneven. KIDS is for prefork: so many, and the pool does not grow. PEM holds certificate and key, for
// TLS. An OPTION is a setting of the library that has a price:
//   client_timeout=SECONDS    io_timeout=SECONDS    min_rate=BYTES
#include "works.hpp"

#ifdef BENCHMARK_SSL
#include <waiter/ssl.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using fork_policy = waiter::FORK;
using transport_policy = waiter::TRANSPORT;
using options = waiter::basic_options<fork_policy, transport_policy>;

/// Whether it is an option that this composition knows.
bool set(options& all, std::string_view name, long value) {
  if (name == "client_timeout") all.client_timeout = std::chrono::seconds(value);
  else if (name == "io_timeout") all.io_timeout = std::chrono::seconds(value);
  else if (name == "min_rate") all.min_rate = static_cast<std::uint32_t>(value);
  else return false;
  return true;
}

/// A pool of so many, which stays as it is; nothing where there is no pool.
void set_kids(auto& fork, int kids) {
  if constexpr (requires { fork.prefork; }) fork.prefork = -kids;
}

template <template <class, class> class Work>
int run(const options& all) {
  return Work<fork_policy, transport_policy>(all).run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string_view work = argv[1];
  options all{.port = static_cast<std::uint16_t>(std::atoi(argv[2])), .address = "127.0.0.1"};
  set_kids(all.fork, std::atoi(argv[3]));
#ifdef BENCHMARK_SSL
  if (argc > 4) all.transport.cert_file = argv[4];
#endif
  for (int at = 4; at < argc; ++at) {
    const std::string_view word = argv[at];
    const auto equals = word.find('=');
    if (equals == word.npos) continue;  // the certificate
    if (!set(all, word.substr(0, equals), std::atol(word.substr(equals + 1).data()))) {
      std::cerr << "no such option: " << word << '\n';
      return 2;
    }
  }
  if (work == "hello") return run<works::hello>(all);
  if (work == "echo") return run<works::echo>(all);
  if (work == "get") return run<works::get>(all);
  if (work == "put") return run<works::put>(all);
  if (work == "uneven") return run<works::uneven>(all);
  std::cerr << "no such work: " << work << '\n';
  return 2;
}
