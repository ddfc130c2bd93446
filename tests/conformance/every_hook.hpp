// The server that all conformance tests drive: examples/3_every_hook, as a program, with real clients.
#ifndef WAITER_TESTS_CONFORMANCE_EVERY_HOOK_HPP
#define WAITER_TESTS_CONFORMANCE_EVERY_HOOK_HPP

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"
#include "support/server_process.hpp"

#include <sys/types.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace conformance {

using namespace support;

using flags = std::vector<std::string>;

inline const reply hello = answer("hello world\n");
inline const reply refusal = answer("too many clients\n");

/// Two lists in one.
flags operator+(flags left, const flags& right);

/// Holds its clients until they send a line, for longer than any test lasts.
inline const flags hold{"--process=hold", "--io-timeout=120"};

class every_hook : public server_process {
 public:
  explicit every_hook(const std::string& policy, const flags& more = {});
  /// With a program in front or another surrounding; the program and the policy are filled in.
  every_hook(const std::string& policy, const flags& more, launch surroundings);

  /// Waits until `count` preforked kids have started, and the parent has told of them; the order of the two is free.
  void wait_for_kids(std::size_t count);
  /// The parent's own sequence of hooks.
  std::string parent_sequence() { return trace().sequence(pid()); }
  /// The hook that the parent wrote last.
  std::string last_parent_hook();
};

/// Where the program is; the test fails when nobody says so.
std::filesystem::path every_hook_program();

/// A client in hand of a server that holds its clients, and the process that has it.
struct held_client {
  client connection;
  pid_t by;

  /// Lets it go; it must get its answer.
  reply release() { return connection.ask("go\n"); }
};

/// Connects and waits until the client is in hand.
held_client hold_one(every_hook& server);

/// Connects, reads all.
reply visit(every_hook& server, milliseconds within = patience);

/// Busy and all kids, as one process tells them in its hook when it gets the signal.
struct census {
  long busy{0};
  long kids{0};
  friend bool operator==(const census&, const census&) = default;
};
std::ostream& operator<<(std::ostream& out, const census& count);
census census_in(every_hook& server, pid_t pid, int signal, const std::string& hook);

/// How a hook of the parent comes to be called.
enum class trigger { start, client, over_maxfork, idle, hup, usr1, usr2, dead_kid };

struct parent_hook {
  std::string policy;
  std::string hook;
  trigger by;
};
std::ostream& operator<<(std::ostream& out, const parent_hook& which);

/// Each hook that runs in the listening process, by policy; without on_server_close, after which there is nothing.
std::vector<parent_hook> parent_hooks();

/// The flags that the trigger needs.
flags flags_for(const parent_hook& which);

}  // namespace conformance

#endif
