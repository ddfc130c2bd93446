// poco WORK PORT THREADS: POCO's TCPServer, which serves by threads.
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnection.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/Net/TCPServerParams.h>
#include <Poco/ThreadPool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace net = Poco::Net;

namespace {

struct hello : net::TCPServerConnection {
  using TCPServerConnection::TCPServerConnection;
  void run() override { socket().sendBytes("hello world\n", 12); }
};

struct echo : net::TCPServerConnection {
  using TCPServerConnection::TCPServerConnection;
  void run() override {
    std::array<char, 16384> buffer;
    for (int size; (size = socket().receiveBytes(buffer.data(), buffer.size())) > 0;) socket().sendBytes(buffer.data(), size);
  }
};

template <class Connection>
int serve(const char* port, int threads) {
  Poco::ThreadPool pool(threads, threads);
  net::ServerSocket door;
  door.bind({"127.0.0.1", static_cast<Poco::UInt16>(std::atoi(port))}, true);
  door.listen(SOMAXCONN);
  Poco::AutoPtr<net::TCPServerParams> params(new net::TCPServerParams);
  params->setMaxThreads(threads);
  params->setMaxQueued(4096);
  net::TCPServer server(new net::TCPServerConnectionFactoryImpl<Connection>, pool, door, params);
  server.start();
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string_view work = argv[1];
  if (work == "hello") return serve<hello>(argv[2], std::atoi(argv[3]));
  if (work == "echo") return serve<echo>(argv[2], std::atoi(argv[3]));
  return 2;
}
