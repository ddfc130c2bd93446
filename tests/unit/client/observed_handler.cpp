#include <waiter/client/observed_handler.hpp>

#include "support/catch.hpp"

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace {

using waiter::error_code;
using waiter::observed_handler;

struct observer {
  std::string* order;
  void operator()(error_code& error, std::size_t count) const {
    *order += "observer " + std::to_string(count) + " ";
    if (error) error = waiter::error::timed_out;
  }
};

}  // namespace

TEST_CASE("the observer hears first, and may change the error") {
  std::string order;
  const auto last = [&](error_code error, std::size_t count) { order += "handler " + std::to_string(count) + " " + error.message(); };
  observed_handler<observer, decltype(last)> one({&order}, decltype(last)(last));
  one(boost::system::errc::make_error_code(boost::system::errc::operation_canceled), std::size_t{7});
  CHECK(order == "observer 7 handler 7 the client's deadline has passed");
}

TEST_CASE("to Asio it is the handler that it holds") {
  boost::asio::io_context context;
  const auto strand = boost::asio::make_strand(context);
  std::string order;
  auto bound = boost::asio::bind_executor(strand, [](error_code, std::size_t) {});
  const observed_handler<observer, decltype(bound)> one({&order}, std::move(bound));
  CHECK((boost::asio::get_associated_executor(one, context.get_executor()) == strand));

  const auto plain = [](error_code, std::size_t) {};
  const observed_handler<observer, decltype(plain)> other({&order}, decltype(plain)(plain));
  CHECK((boost::asio::get_associated_executor(other, context.get_executor()) == context.get_executor()));
}
