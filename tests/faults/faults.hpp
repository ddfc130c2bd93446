// What the tests of trouble share: the server that they trouble, clients by the thousand, and how long is long.
#ifndef WAITER_TESTS_FAULTS_FAULTS_HPP
#define WAITER_TESTS_FAULTS_FAULTS_HPP

#include "faults/injected.hpp"
#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_info.hpp"
#include "support/server_process.hpp"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace faults {

using namespace support;

using flags = std::vector<std::string>;

/// The long form was asked for (WAITER_SOAK=1, tests/soak/run).
bool soaking();
template <class Value>
Value short_or_long(Value brief, Value thorough) {
  return soaking() ? thorough : brief;
}

/// Writes a number that was measured, for those who run the long form, and when a test fails.
void report(const std::string& what, double value, const std::string& unit);

/// The path of a program or library that Meson built for the tests.
std::string built(const char* variable);

/// troubled_server.cpp, as a program.
class troubled_server : public server_process {
 public:
  explicit troubled_server(const flags& arguments, launch surroundings = {});

  /// Waits until that many kids live, none of them stopped or ended; false when it takes too long.
  bool has_kids(std::size_t count, milliseconds within = patience);
  /// One line of on_sig_hup.
  trace_line account();
  /// Connects and reads all; the text is "served\n" when all is well.
  reply visit(milliseconds within = patience) { return client{port()}.read_all(within); }
};
inline const reply served = answer("served\n");

/// A client in hand of a server that holds its clients, and the process that has it.
struct held_client {
  client connection;
  pid_t by;
};
held_client hold_one(troubled_server& server);

/// A run of `load` (tests/load/load.cpp) in the background; at most one minute long unless `--seconds` says otherwise.
class load_run {
 public:
  load_run(std::uint16_t port, const flags& arguments);
  ~load_run();
  load_run(const load_run&) = delete;
  load_run& operator=(const load_run&) = delete;

  /// Waits for its end.
  void join();
  /// Lets it begin no more clients, and waits for those under way.
  void stop();
  /// After `join`: a line of what it printed.
  long operator[](const std::string& name) const;
  int status() const { return status_; }
  /// For messages.
  const std::string& text() const { return text_; }

 private:
  pid_t pid_{0};
  int out_{-1};
  int status_{-1};
  std::string text_{};
  std::map<std::string, long> lines_{};
};

/// Lets calls of a server fail: its surroundings, and the page on which they are switched.
class injection {
 public:
  injection();
  ~injection();
  injection(const injection&) = delete;
  injection& operator=(const injection&) = delete;

  launch surroundings() const;
  injected& page() { return *page_; }
  injected* operator->() { return page_; }

 private:
  temp_directory directory_{};
  injected* page_{nullptr};
};

/// Of a sample, the value that `percent` of it do not exceed.
double percentile(std::vector<double> sample, double percent);

/// Time of the processor that a process and its children that live have used.
milliseconds cpu_of(troubled_server& server);

/// Waits, with nothing to wait for: that nothing happens can be seen by time alone.
void let_pass(milliseconds time);

}  // namespace faults

#endif
