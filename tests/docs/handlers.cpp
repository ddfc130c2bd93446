// What docs/ shows of handlers. It is compiled, so that the pages stay true.
#include <waiter/waiter.hpp>

#include <exception>
#include <new>
#include <optional>
#include <string>

namespace stated {

struct careful : waiter::basic_waiter<careful, waiter::prefork> {
  using basic_waiter::basic_waiter;
  using implements = waiter::hooks<waiter::hook::on_process, waiter::hook::on_exception>;

  bool on_process(client_type& client) {
    client.write("hello world\n");
    return ++served_ < 1000;  // false: this kid ends after this client, and another one takes its place
  }

  void on_exception(std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      throw;  // it leaves on_exception: the server stops in order, and run() throws it
    } catch (const std::exception& failure) {
      log("lost a client: ", failure.what());
    }
  }

 private:
  int served_ = 0;
};

}  // namespace stated

namespace reserved {

class hello : public waiter::basic_waiter<hello> {
 public:
  using basic_waiter::basic_waiter;

 private:
  friend waiter::hook_access;
  void on_process(client_type& client) { client.write("hello world\n"); }
};

}  // namespace reserved

namespace reloading {

std::string read_greeting() { return "hello world\n"; }

struct hello : waiter::basic_waiter<hello, waiter::prefork> {
  using basic_waiter::basic_waiter;

  void on_server_begin() { greeting_ = read_greeting(); }
  void on_sig_hup() { reload(); }
  void on_reload() { greeting_ = read_greeting(); }  // in the listening process: its memory is what new kids begin with

  void on_process(client_type& client) { client.write(greeting_); }

 private:
  std::string greeting_;
};

}  // namespace reloading

namespace connected {

struct database {
  explicit database(const char*) {}
  std::string titles() { return "The Beach of Falesa\n"; }
};

struct bookshop : waiter::basic_waiter<bookshop, waiter::prefork> {
  using basic_waiter::basic_waiter;

  // In each kid, once: a connection of its own, which no other process has.
  void on_child_start() { books_.emplace("dbname=books"); }
  void on_process(client_type& client) { client.write(books_->titles()); }
  // No destructor runs at the end of a kid, so what has to be said goodbye to is closed here.
  void on_child_exit() { books_.reset(); }

 private:
  std::optional<database> books_;
};

}  // namespace connected

int main() {
  stated::careful first{{.address = "none"}};
  reserved::hello second{{.address = "none"}};
  reloading::hello third{{.address = "none"}};
  connected::bookshop fourth{{.address = "none"}};
  const bool refused = first.run() == waiter::exit_not_listening && second.run() == waiter::exit_not_listening &&
                       third.run() == waiter::exit_not_listening && fourth.run() == waiter::exit_not_listening;
  return refused ? 0 : 1;
}
