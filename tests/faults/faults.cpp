#include "faults/faults.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace faults {
namespace {

launch complete(const flags& arguments, launch surroundings) {
  surroundings.program = built("WAITER_TROUBLED_SERVER");
  surroundings.arguments = arguments;
  return surroundings;
}

}  // namespace

bool soaking() { return std::getenv("WAITER_SOAK") != nullptr; }

void report(const std::string& what, double value, const std::string& unit) {
  std::ostringstream line;
  line << what << ": " << value << ' ' << unit;
  UNSCOPED_INFO(line.str());
  if (soaking()) std::cout << "measured: " << line.str() << std::endl;
}

std::string built(const char* variable) {
  const char* const path = std::getenv(variable);
  if (path == nullptr) FAIL(variable << " must be the path of what Meson built");
  return std::filesystem::absolute(path).string();
}

troubled_server::troubled_server(const flags& arguments, launch surroundings)
    : server_process{complete(arguments, std::move(surroundings))} {}

bool troubled_server::has_kids(std::size_t count, milliseconds within) {
  return eventually([&] {
    const auto all = children_of(pid());
    return all.size() == count && std::all_of(all.begin(), all.end(), [](pid_t kid) {
      const auto found = look_at(kid);
      return found && found->state != 'Z' && found->state != 'T' && found->state != 'X';
    });
  }, within);
}

trace_line troubled_server::account() {
  const auto before = trace().count({.hook = "on_sig_hup"});
  signal(SIGHUP);
  return trace().wait_for({.hook = "on_sig_hup", .nth = before + 1});
}

held_client hold_one(troubled_server& server) {
  const auto before = server.trace().count({.hook = "on_process"});
  client connection{server.port()};
  const auto line = server.trace().wait_for({.hook = "on_process", .nth = before + 1});
  return {std::move(connection), line.pid};
}

load_run::load_run(std::uint16_t port, const flags& arguments) {
  flags words{built("WAITER_LOAD"), "127.0.0.1", std::to_string(port), "--seconds", "60"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int failed = ::posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  out_ = ends[0];
  if (failed != 0) throw std::runtime_error{"cannot start " + words[0]};
}

load_run::~load_run() {
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
}

void load_run::join() {
  char buffer[4096];
  for (ssize_t size; (size = ::read(out_, buffer, sizeof buffer)) > 0;) text_.append(buffer, static_cast<std::size_t>(size));
  ::waitpid(pid_, &status_, 0);
  status_ = WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  pid_ = 0;
  std::istringstream words{text_};
  std::string name;
  for (double value; words >> name >> value;) lines_[name] = static_cast<long>(value);
}

void load_run::stop() {
  ::kill(pid_, SIGTERM);
  join();
}

long load_run::operator[](const std::string& name) const {
  const auto found = lines_.find(name);
  if (found == lines_.end()) throw std::runtime_error{"load said nothing of " + name + ": " + text_};
  return found->second;
}

injection::injection() {
  const int file = ::open((directory_ / "page").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(injected)) != 0) throw std::runtime_error{"no page"};
  void* const memory = ::mmap(nullptr, sizeof(injected), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) throw std::runtime_error{"no page"};
  page_ = static_cast<injected*>(memory);
}

injection::~injection() { ::munmap(page_, sizeof(injected)); }

launch injection::surroundings() const {
  launch all;
  all.environment = {"LD_PRELOAD=" + built("WAITER_INJECTED"), std::string{injected_variable} + "=" + (directory_ / "page").string()};
  return all;
}

double percentile(std::vector<double> sample, double percent) {
  if (sample.empty()) return 0;
  std::sort(sample.begin(), sample.end());
  const auto at = static_cast<std::size_t>(static_cast<double>(sample.size() - 1) * percent / 100 + 0.5);
  return sample[at];
}

milliseconds cpu_of(troubled_server& server) {
  milliseconds all = look_at(server.pid()).value_or(process_state{}).cpu;
  for (const pid_t kid : children_of(server.pid())) all += look_at(kid).value_or(process_state{}).cpu;
  return all;
}

void let_pass(milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }

}  // namespace faults
