#ifndef WAITER_SYSTEM_ACCEPTED_HPP
#define WAITER_SYSTEM_ACCEPTED_HPP

#include <waiter/options.hpp>
#include <waiter/system/descriptor.hpp>

#include <boost/asio/ip/tcp.hpp>

namespace waiter::system {

/// A client fresh from accept(2): its descriptor, who it is, and what its socket inherited from the listening one.
struct accepted {
  descriptor socket;
  boost::asio::ip::tcp::endpoint peer;
  /// SO_RCVTIMEO and SO_SNDTIMEO as they stand on the socket; `never` where there is none.
  milliseconds receive_timeout = never;
  milliseconds send_timeout = never;
};

}  // namespace waiter::system

#endif
