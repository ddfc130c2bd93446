#ifndef WAITER_ASYNC_HPP
#define WAITER_ASYNC_HPP

// Many clients in each process, served by coroutines over plain TCP, and all the rest of <waiter/waiter.hpp>.
#include <waiter/transport/plain_async.hpp>
#include <waiter/waiter.hpp>

#endif
