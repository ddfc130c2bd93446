// asio_prefork WORK PORT KIDS: kids that accept with Asio, blocking: what one would write with Asio instead of this library.
#include "asio_works.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const auto work = asio_works::named(argv[1]);
  boost::asio::io_context context;
  tcp::acceptor door(context, {boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::atoi(argv[2]))});
  for (int kid = 0; kid < std::atoi(argv[3]); ++kid) {
    context.notify_fork(boost::asio::io_context::fork_prepare);
    if (::fork() != 0) {
      context.notify_fork(boost::asio::io_context::fork_parent);
      continue;
    }
    context.notify_fork(boost::asio::io_context::fork_child);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (;;) {
      boost::system::error_code error;
      tcp::socket client(context);
      door.accept(client, error);
      if (!error) work(client);
    }
  }
  for (;;) ::pause();
}
