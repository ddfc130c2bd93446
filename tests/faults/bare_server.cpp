// The least that serves: what is measured is the library.
//   bare_server --kids=N --trace=FILE
#include <waiter/waiter.hpp>

#include <unistd.h>

#include <fstream>
#include <string>

namespace {

class server : public waiter::basic_waiter<server, waiter::prefork> {
 public:
  server(options settings, std::string trace) : basic_waiter(std::move(settings)), trace_(std::move(trace)) {}

  void on_server_begin() { tell("on_server_begin", ""); }
  void on_listen_ok() { tell("on_listen_ok", "port=" + std::to_string(get_port())); }
  void on_child_start() { tell("on_child_start", ""); }
  void on_process(client_type& client) {
    waiter::error_code error;
    client.write("hello world\n", error);
    ++served_;
  }
  void on_child_exit() { tell("on_child_exit", "served=" + std::to_string(served_)); }

 private:
  void tell(const char* hook, const std::string& more) const {
    std::ofstream(trace_, std::ios::app) << "0 " << (is_child() ? 'C' : 'P') << ' ' << ::getpid() << ' ' << hook << ' ' << more
                                         << std::endl;
  }

  std::string trace_;
  long served_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  int kids = 8;
  std::string trace;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word.starts_with("--kids=")) kids = std::stoi(word.substr(7));
    if (word.starts_with("--trace=")) trace = word.substr(8);
  }
  return server({.address = "127.0.0.1", .fork = {.prefork = -kids}}, trace).run();
}
