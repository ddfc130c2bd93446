#ifndef WAITER_VERSION_HPP
#define WAITER_VERSION_HPP

/// The version of these headers. The build reads it from here, so it is written once.
#define WAITER_VERSION_MAJOR 0
#define WAITER_VERSION_MINOR 1
#define WAITER_VERSION_PATCH 0
#define WAITER_VERSION "0.1.0"

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "waiter needs C++20: compile with -std=c++20 or newer (Meson: cpp_std=c++20, CMake: target_compile_features(... cxx_std_20))"
#endif

#endif
