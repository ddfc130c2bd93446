// After each test case the machine has to be as it was before: otherwise the program fails, whatever the case itself says.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // Catch2 2.x offers listeners to those who ask
#include "support/catch.hpp"

#include <poll.h>
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

/// The program's own descriptors, threads and children, and objects of the system that outlive a process.
std::set<std::string> look_around() {
  std::set<std::string> all;
  std::error_code gone;
  const auto entries = [&](const fs::path& folder, auto&& each) {
    for (fs::directory_iterator entry(folder, gone), end; !gone && entry != end; entry.increment(gone)) each(entry->path());
  };
  entries("/proc/self/fd", [&](const fs::path& path) {
    const auto target = fs::read_symlink(path, gone).string();
    if (!target.ends_with("/fd")) all.insert("descriptor " + path.filename().string() + " of " + target);
  });
  entries("/proc/self/task", [&](const fs::path& path) { all.insert("thread " + path.filename().string()); });
  for (const char* folder : {"/dev/shm", "/dev/mqueue"}) entries(folder, [&](const fs::path& path) { all.insert(path.string()); });
  for (const std::string kind : {"shm", "sem", "msg"}) {
    std::ifstream table("/proc/sysvipc/" + kind);
    std::string line;
    std::getline(table, line);
    for (std::string key, id; table >> key >> id && std::getline(table, line);) all.insert(kind + ' ' + id);
  }
  const auto self = std::to_string(::getpid());
  entries("/proc", [&](const fs::path& path) {
    std::ifstream file(path / "stat");
    std::string line;
    if (!std::getline(file, line)) return;
    std::istringstream rest(line.substr(line.rfind(')') + 1));
    std::string state, parent;
    if (rest >> state >> parent && parent == self) all.insert("process " + path.filename().string() + " (" + state + ')');
  });
  return all;
}

/// What is there now and was not before. A moment is allowed for what the kernel still clears away.
std::set<std::string> left_behind(const std::set<std::string>& before) {
  std::set<std::string> left;
  for (int tries = 0; tries < 100; ++tries) {
    left.clear();
    for (const auto& one : look_around()) {
      if (!before.contains(one)) left.insert(one);
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
