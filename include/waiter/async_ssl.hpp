#ifndef WAITER_ASYNC_SSL_HPP
#define WAITER_ASYNC_SSL_HPP

// Many clients in each process, served by coroutines over TLS, and all the rest. A program that includes this links OpenSSL.
#include <waiter/async.hpp>
#include <waiter/ssl.hpp>
#include <waiter/transport/ssl_async.hpp>

#endif
