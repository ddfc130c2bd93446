// Catch2, whichever of 2.13 and 3 is installed.
#ifndef WAITER_TESTS_SUPPORT_CATCH_HPP
#define WAITER_TESTS_SUPPORT_CATCH_HPP

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

/// Ends the test case here and says so aloud; older Catch2 has no word for it and passes with a warning.
#ifdef SKIP
#define WAITER_SKIP(reason) SKIP(reason)
#else
#define WAITER_SKIP(reason)        \
  do {                             \
    WARN("SKIPPED: " << (reason)); \
    SUCCEED("skipped");            \
    return;                        \
  } while (false)
#endif

#endif
