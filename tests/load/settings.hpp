#ifndef TESTS_LOAD_SETTINGS_HPP
#define TESTS_LOAD_SETTINGS_HPP

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace load {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;
using instant = clock::time_point;

/// What the command line asks for; the flags are told at the head of load.cpp.
struct settings {
  sockaddr_storage to{};
  socklen_t size = 0;
  bool spread = false;  ///< called from all over 127.0.0.0/8

  int clients = 64;
  double rate = 0;  ///< clients begun a second; 0: each as soon as another one ends
  double seconds = 10;
  long count = -1;
  milliseconds patience{10000};

  std::string say, expect;
  long requests = 0;  ///< answers to wait for on one connection, each as long as what is said; 0: one, of any length
  bool half_close = false;
  int slow_every = 0;
  std::string slow_say;

  bool tls = false, tls12 = false, resume = false;
  bool until_stop = false, reset = false;
  std::string congestion;
};

/// Does not return if the words make no sense.
settings parse(int argc, char** argv);

}  // namespace load

#endif
