#ifndef WAITER_SSL_HPP
#define WAITER_SSL_HPP

// The TLS transport and all the rest. A program that includes this links OpenSSL.
#include <waiter/transport/ssl.hpp>
#include <waiter/waiter.hpp>

#endif
