#include "support/process_info.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace support {
namespace {

namespace fs = std::filesystem;

/// By read(2): a stream throws when the process ends between opening and reading.
std::string slurp(const fs::path& path) {
  std::string result;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return result;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto size = ::read(file, buffer.data(), buffer.size());
    if (size <= 0) break;
    result.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ::close(file);
  return result;
}

fs::path proc(pid_t pid) { return fs::path{"/proc"} / std::to_string(pid); }

bool all_digits(const std::string& text) {
  for (const char c : text) {
    if (!std::isdigit(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty();
}

/// The inodes of the sockets that listen on a port, from a table like /proc/net/tcp.
void add_listeners(const char* table, std::uint16_t port, std::set<std::string>& inodes) {
  char wanted_port[8];
  std::snprintf(wanted_port, sizeof wanted_port, ":%04X", static_cast<unsigned>(port));
  std::ifstream file{table};
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream words{line};
    std::vector<std::string> field{std::istream_iterator<std::string>{words}, {}};
    if (field.size() > 9 && field[1].ends_with(wanted_port) && field[3] == "0A") inodes.insert(field[9]);
  }
}

}  // namespace

std::optional<process_state> look_at(pid_t pid) {
  const auto text = slurp(proc(pid) / "stat");
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  process_state result;
  result.pid = pid;
  result.name = text.substr(open + 1, close - open - 1);
  std::istringstream rest{text.substr(close + 1)};
  rest >> result.state >> result.parent >> result.group;
  std::string word;
  for (int field = 6; field <= 13; ++field) rest >> word;
  unsigned long user = 0;
  unsigned long system = 0;
  rest >> user >> system;
  const auto per_second = static_cast<unsigned long>(::sysconf(_SC_CLK_TCK));
  result.cpu = milliseconds{static_cast<milliseconds::rep>((user + system) * 1000 / per_second)};
  return result;
}

bool alive(pid_t pid) {
  const auto found = look_at(pid);
  return found && found->state != 'Z' && found->state != 'X';
}

std::vector<process_state> all_processes() {
  std::vector<process_state> result;
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (!all_digits(name)) continue;
    if (auto found = look_at(static_cast<pid_t>(std::stol(name)))) result.push_back(std::move(*found));
  }
  return result;
}

std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> result;
  for (const auto& process : all_processes()) {
    if (process.parent == parent) result.insert(process.pid);
  }
  return result;
}

std::set<pid_t> members_of(pid_t group) {
  std::set<pid_t> result;
  for (const auto& process : all_processes()) {
    if (process.group == group) result.insert(process.pid);
  }
  return result;
}

std::string title_of(pid_t pid) {
  auto text = slurp(proc(pid) / "cmdline");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (char& c : text) {
    if (c == '\0') c = ' ';
  }
  return text;
}

std::set<int> descriptors_of(pid_t pid) {
  std::set<int> result;
  std::error_code ended;
  for (fs::directory_iterator entry{proc(pid) / "fd", ended}, end; !ended && entry != end; entry.increment(ended)) {
    result.insert(std::stoi(entry->path().filename().string()));
  }
  return result;
}

int lowest_free_descriptor(pid_t pid) {
  const auto taken = descriptors_of(pid);
  int candidate = 0;
  while (taken.contains(candidate)) ++candidate;
  return candidate;
}

bool holds_listener(pid_t pid, std::uint16_t port) { return listener_of(pid, port) >= 0; }

int listener_of(pid_t pid, std::uint16_t port) {
  std::set<std::string> inodes;
  add_listeners("/proc/net/tcp", port, inodes);
  add_listeners("/proc/net/tcp6", port, inodes);
  for (const int descriptor : descriptors_of(pid)) {
    std::error_code closed;
    const auto target = fs::read_symlink(proc(pid) / "fd" / std::to_string(descriptor), closed).string();
    for (const auto& inode : inodes) {
      if (target == "socket:[" + inode + "]") return descriptor;
    }
  }
  return -1;
}

long voluntary_switches(pid_t pid) {
  std::istringstream lines{slurp(proc(pid) / "status")};
  std::string line;
  const std::string key = "voluntary_ctxt_switches:";
  while (std::getline(lines, line)) {
    if (line.starts_with(key)) return std::stol(line.substr(key.size()));
  }
  return -1;
}

std::set<std::string> ipc_objects() {
  std::set<std::string> result;
  for (const std::string table : {"shm", "sem", "msg"}) {
    std::ifstream file{"/proc/sysvipc/" + table};
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream words{line};
      std::string key;
      std::string id;
      words >> key >> id;
      result.insert(table + " " + id);
    }
  }
  for (const char* directory : {"/dev/shm", "/dev/mqueue"}) {
    std::error_code absent;
    for (fs::directory_iterator entry{directory, absent}, end; !absent && entry != end; entry.increment(absent)) {
      result.insert(entry->path().string());
    }
  }
  return result;
}

bool wait_until_ended(pid_t pid, milliseconds within) {
  const deadline end{within};
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return eventually([&] { return !alive(pid); }, within);
  pollfd event{descriptor, POLLIN, 0};
  bool ended = !alive(pid);
  while (!ended && !end.over()) {
    ::poll(&event, 1, end.left());
    ended = !alive(pid);
  }
  ::close(descriptor);
  return ended;
}

bool eventually(const std::function<bool()>& condition, milliseconds within) {
  const deadline end{within};
  for (;;) {
    if (condition()) return true;
    if (end.over()) return false;
    ::poll(nullptr, 0, std::min(end.left(), 5));
  }
}

}  // namespace support
