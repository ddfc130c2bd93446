#include <waiter/process/listen_place.hpp>

#include "support/catch.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace {

using waiter::listen_place;
using waiter::listen_place_of;
using kind = listen_place::kind;

struct row {
  std::string_view text;
  std::optional<listen_place> place;
};

}  // namespace

TEST_CASE("a place to listen is taken apart") {
  const row rows[] = {
      {"127.0.0.1:80", listen_place{kind::internet, "127.0.0.1", 80}},
      {"0.0.0.0:0", listen_place{kind::internet, "0.0.0.0", 0}},
      {"[::1]:65535", listen_place{kind::internet, "::1", 65535}},
      {"[::]:80", listen_place{kind::internet, "::", 80}},
      {"unix:/run/x.sock", listen_place{kind::local, "/run/x.sock"}},
      {"unix:x:1", listen_place{kind::local, "x:1"}},
      {"unix:@x", listen_place{kind::local, "@x"}},
      {"inherited", listen_place{kind::passed, ""}},
      {"fd:http", listen_place{kind::passed, "http"}},
      // Whether there is such an address is asked later, when it can be said so.
      {"localhost:80", listen_place{kind::internet, "localhost", 80}},
  };
  for (const auto& [text, place] : rows) {
    CAPTURE(text);
    CHECK((listen_place_of(text) == place));
  }
}

TEST_CASE("what has no form of a place is none") {
  for (const std::string_view text : {"", "80", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8a", "127.0.0.1: 80",
                                      "::1:80", "[::1]", "[::1:80", "::1]:80", "[]:80", "[127.0.0.1]:80", "unix:", "unix:@", "fd:",
                                      "inherited:x", "Inherited"}) {
    CAPTURE(text);
    CHECK_FALSE(listen_place_of(text));
  }
}
