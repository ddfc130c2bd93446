// accept: overloads, templates, what is static, const, noexcept, private, inherited, or a function object
#include <waiter/waiter.hpp>

#include <functional>

template <class Handler>
struct counted : waiter::basic_waiter<Handler, waiter::prefork> {
  using waiter::basic_waiter<Handler, waiter::prefork>::basic_waiter;
  void on_server_begin() {}
};

class server : public counted<server> {
 public:
  using counted::counted;
  static void on_listen_ok() noexcept {}
  void on_accept_ok(auto& client) const { client.write("hello\n"); }
  void on_close(client_type&) {}
  void on_close(int) {}
  std::function<void(pid_t)> on_fork_ok = [](pid_t) {};

 private:
  friend waiter::hook_access;
  bool on_process(client_type&) { return true; }
  void on_sig_child(pid_t) {}

 protected:
  virtual void on_sig_hup() {}
};

int main() { return server{{.port = 0}}.run(); }
