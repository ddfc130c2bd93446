// Preloaded into a server (ld.so(8), LD_PRELOAD): accept4, fork, and writes to standard error fail for as long as a test says so.
#include "faults/injected.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

faults::injected* shared() {
  static faults::injected* const page = [] {
    const char* const path = std::getenv(faults::injected_variable);
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) std::abort();
    void* const memory = ::mmap(nullptr, sizeof(faults::injected), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) std::abort();
    return static_cast<faults::injected*>(memory);
  }();
  return page;
}

[[gnu::constructor]] void map_early() { shared(); }

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// True when the call is to fail.
bool fails(faults::injected::call& one) {
  ++one.calls;
  if (one.error == 0) return false;
  errno = one.error;
  return true;
}

}  // namespace

extern "C" {

int accept4(int fd, sockaddr* peer, socklen_t* size, int how) {
  static auto* const real = next<int(int, sockaddr*, socklen_t*, int)>("accept4");
  return fails(shared()->accept) ? -1 : real(fd, peer, size, how);
}

pid_t fork() {
  static auto* const real = next<pid_t()>("fork");
  return fails(shared()->fork) ? -1 : real();
}

ssize_t write(int fd, const void* data, size_t size) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  return fd == STDERR_FILENO && fails(shared()->log) ? -1 : real(fd, data, size);
}
}
