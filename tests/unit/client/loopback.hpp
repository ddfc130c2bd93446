#ifndef WAITER_TESTS_UNIT_CLIENT_LOOPBACK_HPP
#define WAITER_TESTS_UNIT_CLIENT_LOOPBACK_HPP

#include <waiter/options.hpp>
#include <waiter/system/accepted.hpp>
#include <waiter/system/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"

#include <optional>
#include <utility>

namespace {

/// A client on the loopback, and the socket that a server has accepted from it.
struct loopback {
  waiter::system::listener listener;
  std::optional<support::client> peer;
  waiter::system::accepted accepted;

  explicit loopback(waiter::milliseconds send_timeout = waiter::never) {
    waiter::error_code error;
    listener.open({boost::asio::ip::make_address("127.0.0.1"), 0}, 8, send_timeout, error);
    REQUIRE_FALSE(error);
    accepted = next();
  }

  /// One more; `peer` is the last that came.
  waiter::system::accepted next() {
    waiter::error_code error;
    peer.emplace(listener.local().port());
    auto client = listener.accept(error);
    REQUIRE(client);
    return std::move(*client);
  }
};

}  // namespace

#endif
