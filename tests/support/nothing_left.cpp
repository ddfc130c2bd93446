// After each test case the machine has to be as it was before: otherwise the program fails, whatever the case itself says. It is in every
// test program, so it looks only where a look is cheap.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // Catch2 2.x offers listeners to those who ask
#include "support/catch.hpp"

#include "support/temp_directory.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

template <class Visitor>
void each_entry(const fs::path& folder, Visitor visit) {
  std::error_code gone;
  for (fs::directory_iterator entry(folder, gone), end; !gone && entry != end; entry.increment(gone)) visit(entry->path());
}

/// Children that live, and zombies. Orphans of the servers that a test started are children of the test (see below).
void add_children(std::set<std::string>& all) {
  bool told = false;
  each_entry("/proc/self/task", [&](const fs::path& thread) {
    std::ifstream file(thread / "children");
    told = told || file.is_open();
    for (std::string pid; file >> pid;) all.insert("process " + pid);
  });
  if (told) return;
  // A kernel without these lists.
  const auto self = std::to_string(::getpid());
  each_entry("/proc", [&](const fs::path& path) {
    std::ifstream file(path / "stat");
    std::string line;
    if (!std::getline(file, line)) return;
    std::istringstream rest(line.substr(line.rfind(')') + 1));
    std::string state, parent;
    if (rest >> state >> parent && parent == self) all.insert("process " + path.filename().string());
  });
}

/// The program's own descriptors, threads, shared memory and children, and objects of the system that outlive a process.
std::set<std::string> look_around() {
  std::set<std::string> all;
  std::error_code gone;
  each_entry("/proc/self/fd", [&](const fs::path& path) {
    const auto target = fs::read_symlink(path, gone).string();
    if (!target.ends_with("/fd")) all.insert("descriptor " + path.filename().string() + " of " + target);
  });
  each_entry("/proc/self/task", [&](const fs::path& path) { all.insert("thread " + path.filename().string()); });
  std::ifstream maps("/proc/self/maps");
  for (std::string range, access, rest; maps >> range >> access && std::getline(maps, rest);)
    if (access.ends_with('s')) all.insert("shared memory at " + range);
  for (const std::string kind : {"shm", "sem", "msg"}) {
    std::ifstream table("/proc/sysvipc/" + kind);
    std::string line;
    std::getline(table, line);
    for (std::string key, id; table >> key >> id && std::getline(table, line);) all.insert(kind + ' ' + id);
  }
  for (const char* folder : {"/dev/shm", "/dev/mqueue"}) each_entry(folder, [&](const fs::path& path) { all.insert(path.string()); });
  const auto ours = support::temp_directory::prefix();
  each_entry(fs::temp_directory_path(gone), [&](const fs::path& path) {
    if (path.filename().string().starts_with(ours)) all.insert(path.string());
  });
  add_children(all);
  return all;
}

/// A file that a living process has open, or mapped: somebody else's, who lives beside the test and will remove it.
bool is_in_use(const std::string& file) {
  bool found = false;
  each_entry("/proc", [&](const fs::path& process) {
    std::error_code gone;
    each_entry(process / "fd", [&](const fs::path& one) { found = found || fs::read_symlink(one, gone) == file; });
    std::ifstream maps(process / "maps");
    for (std::string line; !found && std::getline(maps, line);) found = line.ends_with(' ' + file);
  });
  return found;
}

/// What is there now and was not before. A moment is allowed for what the kernel still clears away.
std::set<std::string> left_behind(const std::set<std::string>& before) {
  std::set<std::string> left;
  for (int tries = 0; tries < 100; ++tries) {
    left.clear();
    for (const auto& one : look_around()) {
      if (!before.contains(one) && !(one.starts_with("/dev/") && is_in_use(one))) left.insert(one);
    }
    if (left.empty()) break;
    ::poll(nullptr, 0, 20);
  }
  return left;
}

#if CATCH_VERSION_MAJOR >= 3
using listener = Catch::EventListenerBase;
const std::string& name_of(const Catch::TestCaseStats& ended) { return ended.testInfo->name; }
#else
using listener = Catch::TestEventListenerBase;
const std::string& name_of(const Catch::TestCaseStats& ended) { return ended.testInfo.name; }
#endif

class nothing_left : public listener {
 public:
  using listener::listener;
  void testRunStarting(const Catch::TestRunInfo& run) override {
    listener::testRunStarting(run);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  }
  void testCaseStarting(const Catch::TestCaseInfo&) override { before_ = look_around(); }
  void testCaseEnded(const Catch::TestCaseStats& ended) override {
    for (const auto& one : left_behind(before_)) {
      std::cerr << "left behind by \"" << name_of(ended) << "\": " << one << std::endl;
      failed_ = true;
    }
  }
  void testRunEnded(const Catch::TestRunStats&) override {
    if (!failed_) return;
    std::cout.flush();
    std::_Exit(1);  // no test can be failed any more
  }

 private:
  std::set<std::string> before_;
  bool failed_ = false;
};

}  // namespace

CATCH_REGISTER_LISTENER(nothing_left)
