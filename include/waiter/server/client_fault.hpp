#ifndef WAITER_SERVER_CLIENT_FAULT_HPP
#define WAITER_SERVER_CLIENT_FAULT_HPP

#include <waiter/error.hpp>

#include <boost/asio/error.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace waiter {

/// Whether an exception only says that a client went away, took too long, or broke its TLS session: nobody's mistake, and daily bread
/// on the internet.
inline bool is_client_fault(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const system_error& failure) {
    namespace errc = boost::system::errc;
    const auto& code = failure.code();
    // OpenSSL's errors, and Asio's for a stream that was cut: known by name, so that a plain server need not include OpenSSL.
    if (std::string_view(code.category().name()).starts_with("asio.ssl")) return true;
    return code == boost::asio::error::eof || code == errc::connection_reset || code == errc::broken_pipe ||
           code == errc::connection_aborted || code == errc::timed_out || code == error::timed_out || code == error::too_slow || code == error::line_too_long ||
           code == error::too_much_data || code == error::session_failed;
  } catch (...) {
    return false;
  }
}

/// What an exception says of itself.
inline std::string what_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    return failure.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace waiter

#endif
