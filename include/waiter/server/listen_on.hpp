#ifndef WAITER_SERVER_LISTEN_ON_HPP
#define WAITER_SERVER_LISTEN_ON_HPP

#include <waiter/error.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/longest_backlog.hpp>

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <sstream>
#include <string>

namespace waiter {

/// Opens the listening socket as the options say. Nothing, or one sentence that says what is wrong.
template <class Options>
std::optional<std::string> listen_on(system::listener& listener, const Options& settings) {
  const int longest = system::longest_backlog();
  std::ostringstream sentence;
  if (settings.backlog < 0 || settings.backlog > longest) {
    sentence << "0 <= backlog <= somaxconn does not hold: backlog is " << settings.backlog << ", somaxconn " << longest
             << " (raise net.core.somaxconn, or see docs/options.md)";
    return sentence.str();
  }
  error_code error;
  const auto address = boost::asio::ip::make_address(settings.address, error);
  if (error) {
    sentence << "'" << settings.address << "' is no address: write it in numbers, as in \"127.0.0.1\" or \"::1\" (see docs/options.md)";
    return sentence.str();
  }
  const system::listener::endpoint where(address, settings.port);
  listener.open(where, settings.backlog == 0 ? longest : settings.backlog, settings.io_timeout, error);
  if (!error) return std::nullopt;
  sentence << "cannot listen on " << where << ": " << error.message();
  if (error == boost::system::errc::address_in_use) sentence << "; another program does";
  if (error == boost::system::errc::permission_denied) sentence << "; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
  return sentence.str();
}

}  // namespace waiter

#endif
