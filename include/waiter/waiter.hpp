#ifndef WAITER_WAITER_HPP
#define WAITER_WAITER_HPP

// Everything but TLS, which brings in OpenSSL: for that, include <waiter/ssl.hpp>.
#include <waiter/basic_waiter.hpp>
#include <waiter/fork/forking.hpp>
#include <waiter/fork/nofork.hpp>
#include <waiter/fork/prefork.hpp>
#include <waiter/transport/plain.hpp>
#include <waiter/version.hpp>

#endif
