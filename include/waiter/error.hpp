#ifndef WAITER_ERROR_HPP
#define WAITER_ERROR_HPP

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <string>
#include <type_traits>

namespace waiter {

/// The error type of Asio's streams, so that a client can be given to any of its algorithms.
using boost::system::error_code;
using boost::system::system_error;

/// What can fail in waiter itself. What the system reports keeps its own code.
enum class error {
  /// A read, a write or a TLS handshake took longer than its deadline, or the client's whole time is over.
  timed_out = 1,
  /// The client moves fewer bytes than `options::min_rate` asks for.
  too_slow,
  /// `read_line` met more bytes than its limit before the end of a line.
  line_too_long,
  /// `read_all` met more bytes than its limit before the end of the stream.
  too_much_data,
  /// A TLS client was read or written before its handshake, as in `on_maxforked`.
  handshake_not_run,
  /// A TLS client was read or written after its session had failed: in the handshake, or by an error that an earlier call has told.
  session_failed,
  /// The client's descriptor has been given away with `release()`, or the client is closed.
  not_open,
  /// A fork was refused: another thread of the process may hold a lock that the kid would wait for for ever.
  threads_alive,
  /// The name or number is not one of a signal.
  unknown_signal,
};

/// What `run()` returns.
inline constexpr int exit_ok = 0;
/// The listening socket, or what the transport needs before it (certificate, key), could not be made; or the options contradict each other.
inline constexpr int exit_not_listening = 100;

/// The category of `waiter::error`: one sentence for each value.
inline const boost::system::error_category& error_category() noexcept {
  static const struct final : boost::system::error_category {
    const char* name() const noexcept override { return "waiter"; }
    std::string message(int value) const override {
      switch (static_cast<error>(value)) {
        case error::timed_out: return "the client's deadline has passed";
        case error::too_slow: return "the client is slower than the least rate";
        case error::line_too_long: return "the line is longer than the limit";
        case error::too_much_data: return "the client sent more than the limit";
        case error::handshake_not_run: return "the TLS handshake has not run in this process";
        case error::session_failed: return "the TLS session has failed before";
        case error::not_open: return "the client is closed or was released";
        case error::threads_alive: return "fork refused: the process has more than one thread";
        case error::unknown_signal: return "no signal has this name or number";
      }
      return "unknown error of waiter";
    }
  } instance;
  return instance;
}

inline error_code make_error_code(error value) noexcept { return {static_cast<int>(value), error_category()}; }

}  // namespace waiter

namespace boost::system {

template <>
struct is_error_code_enum<waiter::error> : std::true_type {};

}  // namespace boost::system

#endif
