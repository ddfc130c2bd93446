#include "conformance/every_hook.hpp"

#include <cstdlib>
#include <ostream>

namespace conformance {
namespace {

launch complete(const std::string& policy, const flags& more, launch surroundings) {
  surroundings.program = every_hook_program();
  surroundings.arguments = flags{"--policy=" + policy} + more;
  return surroundings;
}

}  // namespace

flags operator+(flags left, const flags& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::filesystem::path every_hook_program() {
  const char* const path = std::getenv("WAITER_EVERY_HOOK");
  if (path == nullptr) FAIL("WAITER_EVERY_HOOK must be the path of the built examples/3_every_hook");
  return std::filesystem::absolute(path);
}

every_hook::every_hook(const std::string& policy, const flags& more) : every_hook{policy, more, {}} {}

every_hook::every_hook(const std::string& policy, const flags& more, launch surroundings)
    : server_process{complete(policy, more, std::move(surroundings))} {}

void every_hook::wait_for_kids(std::size_t count) {
  trace().wait_for({.hook = "on_fork_ok", .nth = count});
  trace().wait_for({.hook = "on_child_start", .nth = count});
}

std::string every_hook::last_parent_hook() {
  const auto lines = trace().all({.pid = pid()});
  return lines.empty() ? "" : lines.back().hook;
}

held_client hold_one(every_hook& server) {
  const auto before = server.trace().count({.hook = "on_process"});
  client connection{server.port()};
  const auto line = server.trace().wait_for({.hook = "on_process", .nth = before + 1});
  return {std::move(connection), line.pid};
}

reply visit(every_hook& server, milliseconds within) { return client{server.port()}.read_all(within); }

std::ostream& operator<<(std::ostream& out, const census& count) {
  return out << count.busy << " busy of " << count.kids << " kids";
}

census census_in(every_hook& server, pid_t pid, int signal, const std::string& hook) {
  const auto before = server.trace().count({.hook = hook, .pid = pid});
  ::kill(pid, signal);
  const auto line = server.trace().wait_for({.hook = hook, .pid = pid, .nth = before + 1});
  return {line.number("busy"), line.number("kids")};
}

std::ostream& operator<<(std::ostream& out, const parent_hook& which) { return out << which.policy << ' ' << which.hook; }

std::vector<parent_hook> parent_hooks() {
  std::vector<parent_hook> all;
  for (const char* policy : {"nofork", "forking", "prefork"}) {
    all.push_back({policy, "on_server_begin", trigger::start});
    all.push_back({policy, "on_listen_ok", trigger::start});
    all.push_back({policy, "on_sig_hup", trigger::hup});
    all.push_back({policy, "on_sig_usr1", trigger::usr1});
    all.push_back({policy, "on_sig_usr2", trigger::usr2});
  }
  for (const char* hook : {"on_accept_ok", "on_child_start", "on_process", "on_close", "on_child_exit"}) {
    all.push_back({"nofork", hook, trigger::client});
  }
  for (const char* hook : {"on_accept_ok", "on_fork_ok", "on_sig_child"}) all.push_back({"forking", hook, trigger::client});
  for (const char* hook : {"on_maxforked", "on_close"}) all.push_back({"forking", hook, trigger::over_maxfork});
  for (const char* policy : {"nofork", "forking"}) all.push_back({policy, "on_forking_idle", trigger::idle});
  all.push_back({"prefork", "on_fork_ok", trigger::start});
  all.push_back({"prefork", "on_sig_child", trigger::dead_kid});
  return all;
}

flags flags_for(const parent_hook& which) {
  flags result{"--timeout=1"};
  if (which.policy == "prefork") result = result + flags{"--prefork=2", "--maxfork=2"};
  if (which.by == trigger::over_maxfork) result = result + flags{"--maxfork=1"} + hold;
  return result;
}

}  // namespace conformance
