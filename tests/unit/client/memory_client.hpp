#ifndef WAITER_TESTS_UNIT_CLIENT_MEMORY_CLIENT_HPP
#define WAITER_TESTS_UNIT_CLIENT_MEMORY_CLIENT_HPP

#include <waiter/client/text.hpp>

#include "unit/client/scripted_wire.hpp"

/// The least that a client type is: its wire is a script.
class memory_client : public waiter::text_client<memory_client> {
 public:
  scripted_wire wire;

 private:
  friend waiter::text_client<memory_client>;

  std::size_t receive(void* data, std::size_t size, waiter::error_code& error) { return wire.give(data, size, error); }
  std::size_t transmit(const void* data, std::size_t size, waiter::error_code& error) { return wire.take(data, size, error); }
};

#endif
