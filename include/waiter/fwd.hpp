#ifndef WAITER_FWD_HPP
#define WAITER_FWD_HPP

#include <waiter/version.hpp>

namespace waiter {

class nofork;
class forking;
class prefork;

class plain;
class ssl;

/// Many clients in each process, served by coroutines; `Transport` is what carries the bytes.
template <class Transport>
class async;

class hook_access;
struct program_starter;

template <class Handler, class ForkPolicy = forking, class TransportPolicy = plain>
class basic_waiter;

}  // namespace waiter

#endif
