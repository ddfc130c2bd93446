// activate FLAGS PROGRAM ARGUMENTS: starts a program as a service manager would (sd_listen_fds(3)), with descriptors from 3 on:
//
//   --tcp NAME --unix NAME=PATH     sockets that listen, on a free port of 127.0.0.1, at a path
//   --udp NAME --silent NAME --file NAME     what no server can listen on: a socket of datagrams, one that does not listen, no socket
//   --count N --pid N --names TEXT  what LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES say, in place of the truth
//   --hold N      stays and keeps the sockets: when the program has ended, N clients more are answered "holder"
//   --inetd FILE  writes a port to FILE, accepts one client, and starts the program with it as descriptors 0, 1 and 2
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "activate: " << what << ": " << std::strerror(errno) << '\n';
  std::exit(2);
}

int listening(int family, const void* address, std::size_t size) {
  const int fd = ::socket(family, SOCK_STREAM, 0);
  if (fd < 0 || ::bind(fd, static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) != 0 || ::listen(fd, 128) != 0) fail("listen");
  return fd;
}

int on_tcp() {
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listening(AF_INET, &here, sizeof here);
}

int on_unix(const std::string& path) {
  sockaddr_un here{};
  here.sun_family = AF_UNIX;
  path.copy(here.sun_path, sizeof here.sun_path - 1);
  return listening(AF_UNIX, &here, sizeof here);
}

std::uint16_t port_of(int fd) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) != 0) fail("getsockname");
  return ntohs(here.sin_port);
}

void hold(const std::vector<int>& sockets, int clients) {
  for (int left = clients; left > 0; --left) {
    std::vector<pollfd> events;
    for (const int fd : sockets) events.push_back({fd, POLLIN, 0});
    if (::poll(events.data(), events.size(), 20000) <= 0) std::exit(3);
    for (const auto& event : events) {
      if (event.revents == 0) continue;
      const int client = ::accept(event.fd, nullptr, nullptr);
      if (client < 0) fail("accept");
      if (::write(client, "holder\n", 7) != 7) fail("write");
      ::close(client);  // who has said nothing is not reset by that
      break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> sockets;
  std::string names, count, pid, inetd;
  bool own_names = false;
  int holds = 0;
  const auto add = [&](int fd, const std::string& name) {
    if (fd < 0) fail("socket");
    names += (sockets.empty() ? "" : ":") + name;
    sockets.push_back(::fcntl(fd, F_DUPFD, 30));
    ::close(fd);
  };
  std::string told;
  int at = 1;
  for (; at + 1 < argc && std::strncmp(argv[at], "--", 2) == 0; at += 2) {
    const std::string flag = argv[at], value = argv[at + 1];
    if (flag == "--tcp") add(on_tcp(), value);
    else if (flag == "--unix") add(on_unix(value.substr(value.find('=') + 1)), value.substr(0, value.find('=')));
    else if (flag == "--udp") add(::socket(AF_INET, SOCK_DGRAM, 0), value);
    else if (flag == "--silent") add(::socket(AF_INET, SOCK_STREAM, 0), value);
    else if (flag == "--file") add(::open("/dev/null", O_RDONLY), value);
    else if (flag == "--count") count = value;
    else if (flag == "--pid") pid = value;
    else if (flag == "--names") told = value, own_names = true;
    else if (flag == "--hold") holds = std::stoi(value);
    else if (flag == "--inetd") inetd = value;
    else errno = EINVAL, fail(flag);
  }
  if (at >= argc) errno = EINVAL, fail("no program");

  if (!inetd.empty()) {
    const int fd = on_tcp();
    std::ofstream(inetd + ".new") << port_of(fd) << '\n';
    std::rename((inetd + ".new").c_str(), inetd.c_str());
    const int client = ::accept(fd, nullptr, nullptr);
    if (client < 0) fail("accept");
    ::close(fd);
    for (const int standard : {0, 1, 2}) ::dup2(client, standard);
    ::close(client);
    ::execvp(argv[at], argv + at);
    return 127;
  }

  const pid_t child = holds > 0 ? ::fork() : 0;
  if (child == 0) {
    int next = 3;
    for (const int fd : sockets) ::dup2(fd, next++), ::close(fd);
    if (!sockets.empty() || !pid.empty() || !count.empty()) {
      ::setenv("LISTEN_PID", pid.empty() ? std::to_string(::getpid()).c_str() : pid.c_str(), 1);
      ::setenv("LISTEN_FDS", count.empty() ? std::to_string(sockets.size()).c_str() : count.c_str(), 1);
      ::setenv("LISTEN_FDNAMES", own_names ? told.c_str() : names.c_str(), 1);
    }
    ::execvp(argv[at], argv + at);
    return 127;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  hold(sockets, holds);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
