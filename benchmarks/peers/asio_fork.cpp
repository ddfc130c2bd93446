// asio_fork WORK PORT: a process for each client, as Asio wants it: the parent's loop accepts and reaps, and is told before and after each
// fork.
#include "asio_works.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

namespace {

class server {
 public:
  server(asio_works::work work, unsigned short port) : work_(work), door_(context_, {boost::asio::ip::address_v4::loopback(), port}) {
    reap();
    accept();
  }
  void run() { context_.run(); }

 private:
  void reap() {
    ended_.async_wait([this](boost::system::error_code, int) {
      if (!door_.is_open()) return;
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      reap();
    });
  }

  void accept() {
    door_.async_accept([this](boost::system::error_code error, tcp::socket client) {
      if (!error) {
        context_.notify_fork(boost::asio::io_context::fork_prepare);
        if (::fork() == 0) {
          context_.notify_fork(boost::asio::io_context::fork_child);
          door_.close();
          ended_.cancel();
          work_(client);
          client.close();
          ::_exit(0);
        }
        context_.notify_fork(boost::asio::io_context::fork_parent);
      }
      accept();
    });
  }

  asio_works::work work_;
  boost::asio::io_context context_{1};
  tcp::acceptor door_;
  boost::asio::signal_set ended_{context_, SIGCHLD};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  server(asio_works::named(argv[1]), static_cast<unsigned short>(std::atoi(argv[2]))).run();
}
