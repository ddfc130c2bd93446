#include <waiter/process/admission.hpp>

#include "support/catch.hpp"

using waiter::admission;
using waiter::admit;

TEST_CASE("a client is served while there are fewer kids than maxfork, and turned away from then on") {
  STATIC_REQUIRE(admit(0, 2) == admission::serve);
  STATIC_REQUIRE(admit(1, 2) == admission::serve);
  STATIC_REQUIRE(admit(2, 2) == admission::turn_away);
  STATIC_REQUIRE(admit(3, 2) == admission::turn_away);
}
