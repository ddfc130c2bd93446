#ifndef WAITER_SYSTEM_OWN_CHILDREN_HPP
#define WAITER_SYSTEM_OWN_CHILDREN_HPP

#include <waiter/system/descriptor.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace waiter::system {

/// In process 1 of a namespace: tells the children that the program has started from orphans, which process 1 is given by the kernel
/// and which nobody else will ever reap.
///
/// The kernel does not say whose child a process was at first. So the program's own are those that were there when this was made, and
/// those that came into the world during a hook (`births`): numbers are given in order, and proc_sys_kernel(5) has the last one. All
/// others are orphans. One that was born and left during the same hook is taken for the program's own. Where /proc does not tell, all are.
class own_children {
 public:
  /// All children that this process has now are the program's own.
  own_children() noexcept : last_pid_(::open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC)) {
    char self[16]{};
    // Another namespace's /proc would give other numbers.
    knows_ = last() > 0 && ::readlink("/proc/self", self, sizeof self - 1) > 0 && std::atoi(self) == ::getpid();
    knows_ = knows_ && each_process([this](pid_t pid) { remember(pid); });
  }
  own_children(const own_children&) = delete;
  own_children& operator=(const own_children&) = delete;

  /// Around a hook: what is born meanwhile, and is a child at the end, is the program's own. May be nested.
  class births {
   public:
    explicit births(own_children& whose) noexcept : whose_(whose), before_(whose.last()) {}
    births(const births&) = delete;
    births& operator=(const births&) = delete;
    ~births() { whose_.born_since(before_); }

   private:
    own_children& whose_;
    pid_t before_;
  };

  /// Reaps all orphans that have ended; not during `births`. `ours(pid)` tells a kid of the server, which is left alone, too.
  template <class Ours>
  void reap_orphans(Ours&& ours) noexcept {
    const auto reap = [&](pid_t pid) {
      if (keeps(pid) || ours(pid)) return false;
      int status = 0;
      return ::waitpid(pid, &status, WNOHANG) == pid;
    };
    for (bool more = knows_; more;) {
      siginfo_t seen{};
      if (::waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0) return;
      more = reap(seen.si_pid);
    }
    // One that is not reaped here hides those behind it.
    if (knows_) each_process(reap);
  }

  /// The program has started this child, or may have done so.
  bool keeps(pid_t pid) const noexcept { return !knows_ || is_known(pid); }

 private:
  // The number that was given last in this namespace; -1 when that cannot be known.
  pid_t last() const noexcept {
    char text[16]{};
    return ::pread(last_pid_.get(), text, sizeof text - 1, 0) > 0 ? std::atoi(text) : -1;
  }

  // Running, or ended and not reaped (waitid(2): ECHILD otherwise). Takes nothing away.
  static bool is_child(pid_t pid) noexcept {
    siginfo_t seen{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &seen, WEXITED | WNOHANG | WNOWAIT) == 0;
  }

  void remember(pid_t pid) noexcept {
    if (is_child(pid) && !is_known(pid)) own_.push_back(pid);
  }
  bool is_known(pid_t pid) const noexcept { return std::find(own_.begin(), own_.end(), pid) != own_.end(); }

  void born_since(pid_t before) noexcept {
    const pid_t now = last();
    if (before <= 0 || now <= 0) knows_ = false;
    if (!knows_) return;
    // Whom the program has reaped may come again as somebody else.
    own_.erase(std::remove_if(own_.begin(), own_.end(), [](pid_t pid) { return !is_child(pid); }), own_.end());
    for (pid_t pid = before + 1; pid <= now; ++pid) remember(pid);
    if (now >= before) return;
    knows_ = each_process([&](pid_t pid) {  // the numbers have begun anew
      if (pid > before || pid <= now) remember(pid);
    });
  }

  // False when /proc cannot be read.
  template <class See>
  static bool each_process(See&& see) noexcept {
    DIR* const all = ::opendir("/proc");
    if (all == nullptr) return false;
    while (const dirent* const one = ::readdir(all))
      if (const pid_t pid = std::atoi(one->d_name); pid > 1) see(pid);
    ::closedir(all);
    return true;
  }

  descriptor last_pid_;
  std::vector<pid_t> own_;
  bool knows_ = false;
};

}  // namespace waiter::system

#endif
