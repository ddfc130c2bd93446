#include <waiter/server/client_fault.hpp>

#include "support/catch.hpp"

#include <boost/asio/error.hpp>

#include <exception>
#include <stdexcept>

using waiter::is_client_fault;
using waiter::system_error;

namespace {

template <class Exception>
std::exception_ptr thrown(Exception exception) {
  return std::make_exception_ptr(exception);
}

std::exception_ptr failed(waiter::error_code code) { return thrown(system_error(code)); }

}  // namespace

TEST_CASE("a client that goes away or takes too long is nobody's mistake") {
  namespace errc = boost::system::errc;
  CHECK(is_client_fault(failed(boost::asio::error::eof)));
  for (const auto reason : {errc::connection_reset, errc::broken_pipe, errc::connection_aborted, errc::timed_out})
    CHECK(is_client_fault(failed(make_error_code(reason))));
  for (const auto reason : {waiter::error::timed_out, waiter::error::too_slow, waiter::error::line_too_long, waiter::error::too_much_data,
                            waiter::error::session_failed})
    CHECK(is_client_fault(failed(reason)));
}

TEST_CASE("everything else is somebody's mistake") {
  CHECK_FALSE(is_client_fault(failed(waiter::error::handshake_not_run)));
  CHECK_FALSE(is_client_fault(failed(make_error_code(boost::system::errc::permission_denied))));
  CHECK_FALSE(is_client_fault(thrown(std::runtime_error("broken"))));
  CHECK_FALSE(is_client_fault(thrown(42)));
}

TEST_CASE("an exception is told by what it says, also one that is none") {
  CHECK(waiter::what_of(thrown(std::runtime_error("broken"))) == "broken");
  CHECK(waiter::what_of(thrown(42)) == "something that is no std::exception");
}
