#ifndef WAITER_EXAMPLES_SUPPORT_RELAY_HPP
#define WAITER_EXAMPLES_SUPPORT_RELAY_HPP

#include <waiter/ssl.hpp>
#include <waiter/system/descriptor.hpp>
#include <waiter/system/event_wait.hpp>
#include <waiter/system/signal_mask.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <utility>

namespace waiter_examples {

/// Carries bytes between a TLS client and a program's pipes, both ways at once, each as fast as its reader takes them. Either
/// side may say that it has said all (close_notify, or a closed pipe), and go on listening.
///
/// It ends when the program has ended and the client has all of its output, or when the client has vanished, or some time after
/// both have said all.
class relay {
  using descriptor = waiter::system::descriptor;
  using clock = std::chrono::steady_clock;

 public:
  /// \param to_program, from_program  our ends of the pipes
  /// \param program                   becomes readable when the program has ended
  relay(waiter::ssl_client& client, descriptor to_program, descriptor from_program, int program)
      : client_(client), input_(std::move(to_program)), output_(std::move(from_program)), program_(program) {
    // The program decides when it reads and writes, so nobody may wait for it.
    for (const int pipe : {input_.get(), output_.get()}) ::fcntl(pipe, F_SETFL, ::fcntl(pipe, F_GETFL) | O_NONBLOCK);
    // Nor for the client: a record that has only begun to arrive, or to leave, is left for later.
    client_.io_timeout(at_once);
  }

  /// \param end_of_time  is asked before each wait, and after each signal, until when all of this may last
  template <class EndOfTime>
  void run(EndOfTime&& end_of_time) {
    const waiter::system::signal_mask held;  // no signal comes between the question and the wait
    while (!vanished_ && !done() && clock::now() < end_of_time()) {
      wait(end_of_time(), held.waiting());
      read_program();
      write_client();
      read_client();
      write_program();
    }
  }

 private:
  static constexpr std::size_t chunk = 16384;  // a TLS record (RFC 8446, 5.1)
  static constexpr std::chrono::milliseconds at_once{0};
  /// How long the client has for reading on after the program, and the program for coming to its end after the client.
  static constexpr std::chrono::milliseconds patience{5000};

  bool done() const { return !lives_ && !output_ && for_client_.empty(); }
  bool wants_client() const { return !client_ended_ && input_ && for_program_.empty(); }
  bool wants_output() const { return output_ && for_client_.empty(); }

  void wait(clock::time_point end_of_time, const sigset_t& signals) {
    // Bytes that OpenSSL holds already, and the end of a connection that is over, are no news to poll(2), nor is the end of what
    // a dead program has printed, while a child of it holds the pipe.
    const bool busy = (wants_client() && (held_ || hung_up_)) || (!lives_ && wants_output());
    const bool last_moments = !lives_ || (hung_up_ && !wants_client() && for_program_.empty());
    const auto limit = busy ? clock::now() : last_moments ? clock::now() + patience : clock::time_point::max();
    const auto events = [](bool in, bool out) { return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)); };
    std::array<pollfd, 4> on{{
        {hung_up_ ? -1 : client_.native_handle(), events(wants_client(), !for_client_.empty()), 0},
        {for_program_.empty() ? -1 : input_.get(), POLLOUT, 0},
        {wants_output() ? output_.get() : -1, POLLIN, 0},
        {lives_ ? program_ : -1, POLLIN, 0},
    }};
    const int ready = waiter::system::wait_for_event(on, std::min(limit, end_of_time), signals);
    if (ready == 0 && !busy && clock::now() >= limit) vanished_ = true;
    if ((on[0].revents & POLLERR) != 0) vanished_ = true;
    if ((on[0].revents & POLLHUP) != 0) hung_up_ = true;
    if ((on[0].revents & POLLIN) != 0) held_ = true;
    if ((on[0].revents & POLLOUT) != 0) writable_ = true;
    if (on[3].revents != 0) {
      lives_ = false;
      if (output_) ::ioctl(output_.get(), FIONREAD, &last_words_);
    }
  }

  void read_program() {
    if (!wants_output()) return;
    const std::size_t most = lives_ ? chunk : std::min(chunk, static_cast<std::size_t>(last_words_));
    for_client_.resize(most);
    const auto count = ::read(output_.get(), for_client_.data(), most);
    for_client_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (!lives_) last_words_ -= static_cast<int>(for_client_.size());
    if (count > 0 || (count < 0 && errno == EAGAIN && lives_)) return;
    output_.reset();
    waiter::error_code ignored;
    client_.io_timeout(patience);
    client_.shutdown_send(ignored);
    client_.io_timeout(at_once);
  }

  // A record of which a part may have left is tried again with the same bytes: SSL_write(3) insists on that.
  void write_client() {
    if (for_client_.empty() || !writable_) return;
    waiter::error_code error;
    for_client_.erase(0, client_.write_some(boost::asio::buffer(for_client_), error));
    if (error == waiter::error::timed_out)
      writable_ = false;
    else if (error)
      vanished_ = true;
  }

  void read_client() {
    if (!wants_client() || !(held_ || hung_up_)) return;
    waiter::error_code error;
    for_program_.resize(chunk);
    for_program_.resize(client_.read_some(boost::asio::buffer(for_program_), error));
    held_ = !error && SSL_has_pending(client_.native_ssl()) == 1;
    if (error == boost::asio::error::eof)
      client_ended_ = true;
    else if (error && error != waiter::error::timed_out)
      vanished_ = true;  // also when the stream was cut off: the program must not take half a message for a whole one
  }

  void write_program() {
    if (!for_program_.empty()) {
      const auto count = ::write(input_.get(), for_program_.data(), for_program_.size());
      if (count > 0) for_program_.erase(0, static_cast<std::size_t>(count));
      if (count < 0 && errno != EAGAIN) close_input();  // the program listens no more
    }
    if (client_ended_ && for_program_.empty()) close_input();
  }

  void close_input() {
    input_.reset();
    for_program_.clear();
  }

  waiter::ssl_client& client_;
  descriptor input_;
  descriptor output_;
  int program_;
  std::string for_program_;
  std::string for_client_;
  bool held_ = false;          // the client may be read without waiting
  bool writable_ = true;       // and written
  bool client_ended_ = false;  // it has said that it has said all
  bool hung_up_ = false;       // the connection is closed on both sides
  bool vanished_ = false;      // nobody is there any more
  bool lives_ = true;          // the program
  int last_words_ = 0;         // how many bytes it had left in the pipe when it ended
};

}  // namespace waiter_examples

#endif
