#ifndef WAITER_SYSTEM_SOCKET_FILE_HPP
#define WAITER_SYSTEM_SOCKET_FILE_HPP

#include <waiter/error.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/unix_address.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

namespace waiter::system {

/// The file by which clients find a listening UNIX socket. It is the process's that made it, and of that process only as long as
/// nobody else has put another in its place.
class socket_file {
 public:
  socket_file() = default;
  socket_file(const socket_file&) = delete;
  socket_file& operator=(const socket_file&) = delete;

  /// Binds the socket and listens. Nobody ever finds the file with more rights than `mode` (0: as the umask has it). A file that a
  /// server left behind is replaced.
  ///
  /// Errors: EADDRINUSE when somebody listens there, EEXIST when the file is no socket, ENAMETOOLONG, and the system's.
  void make(int socket, const std::string& path, mode_t mode, int backlog, error_code& error) {
    const auto address = unix_address::of(path);
    if (!address) return error.assign(path.size() > unix_address::longest ? ENAMETOOLONG : EINVAL, boost::system::system_category());
    error.clear();
    // The file begins with the rights of the socket, less the umask; chmod(2) then gives what the umask took away.
    if (mode != 0) ::fchmod(socket, mode);
    if (::bind(socket, address->data(), address->size()) != 0) {
      if (errno != EADDRINUSE) return fail(error);
      clear_away(*address, path, error);
      if (!error && ::bind(socket, address->data(), address->size()) != 0) fail(error);
      if (error) return;
    }
    adopt(path);
    if ((mode != 0 && ::chmod(path.c_str(), mode) != 0) || ::listen(socket, backlog) != 0) {
      fail(error);
      remove();
    }
  }

  /// A file that was there before, made for this very socket, and is this process's from now on.
  void adopt(const std::string& path) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) != 0 || !S_ISSOCK(there.st_mode)) return;
    path_ = path;
    device_ = there.st_dev;
    inode_ = there.st_ino;
    maker_ = ::getpid();
  }

  const std::string& path() const noexcept { return path_; }

  /// Nobody finds the socket any more. In a kid, and when the file is another's by now, nothing happens.
  void remove() noexcept {
    struct stat there {};
    if (maker_ == ::getpid() && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_)
      ::unlink(path_.c_str());
    forget();
  }

  /// It is somebody else's from now on.
  void forget() noexcept { maker_ = 0; }

 private:
  static void fail(error_code& error) noexcept { error.assign(errno, boost::system::system_category()); }

  // Makes room where a socket stands that nobody listens on. Another server may do the same at this moment, and its new file must not
  // be taken for the old one: so the file is moved first, and only then looked at.
  static void clear_away(const unix_address& address, const std::string& path, error_code& error) {
    struct stat there {}, moved {};
    if (::lstat(path.c_str(), &there) != 0) return errno == ENOENT ? error.clear() : fail(error);
    if (!S_ISSOCK(there.st_mode)) return error.assign(EEXIST, boost::system::system_category());
    const descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe) return fail(error);
    const bool lives = ::connect(probe.get(), address.data(), address.size()) == 0;
    // EAGAIN: its queue is full; EPROTOTYPE: it takes datagrams.
    if (lives || errno == EAGAIN || errno == EPROTOTYPE) return error.assign(EADDRINUSE, boost::system::system_category());
    if (errno == ENOENT) return;
    if (errno != ECONNREFUSED) return fail(error);
    const std::string aside = path + '.' + std::to_string(::getpid());
    if (::rename(path.c_str(), aside.c_str()) != 0) return fail(error);
    if (::lstat(aside.c_str(), &moved) != 0 || moved.st_dev != there.st_dev || moved.st_ino != there.st_ino) {
      ::link(aside.c_str(), path.c_str());
      error.assign(EADDRINUSE, boost::system::system_category());
    }
    ::unlink(aside.c_str());
  }

  std::string path_;
  dev_t device_{};
  ino_t inode_{};
  pid_t maker_ = 0;
};

}  // namespace waiter::system

#endif
