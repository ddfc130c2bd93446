#include <waiter/system/upgrade_channel.hpp>

#include "support/catch.hpp"

#include <fcntl.h>

#include <string>

using waiter::system::upgrade_channel;
using heard = upgrade_channel::heard;

namespace {

struct both_ends {
  both_ends() {
    waiter::error_code error;
    auto ends = upgrade_channel::make(error);
    REQUIRE_FALSE(error);
    ours = std::move(ends.first);
    theirs = std::move(ends.second);
  }
  upgrade_channel ours, theirs;
};

}  // namespace

TEST_CASE_METHOD(both_ends, "words arrive whole and in order, in both directions, and nobody waits") {
  CHECK(ours.hear().what == heard::silence);
  CHECK(theirs.say("ready 4"));
  CHECK(theirs.say("and more"));
  CHECK(ours.say("serve"));
  CHECK(ours.hear().text == "ready 4");
  CHECK(ours.hear().text == "and more");
  CHECK(ours.hear().what == heard::silence);
  const auto answer = theirs.hear();
  CHECK(answer.what == heard::word);
  CHECK(answer.text == "serve");
}

TEST_CASE_METHOD(both_ends, "what was said before the other end was closed is heard, and then the end") {
  CHECK(theirs.say("ready "));
  theirs.close();
  CHECK_FALSE(theirs);
  CHECK(ours.hear().text == "ready ");
  CHECK(ours.hear().what == heard::end);
  CHECK(ours.hear().what == heard::end);
  CHECK_FALSE(ours.say("serve"));  // and no SIGPIPE
}

TEST_CASE_METHOD(both_ends, "who never listens holds up nobody") {
  bool all_taken = true;
  for (int n = 0; n < 100000 && all_taken; ++n) all_taken = ours.say("serve");
  CHECK_FALSE(all_taken);
}

TEST_CASE_METHOD(both_ends, "no program inherits an end by mistake") {
  CHECK((::fcntl(ours.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(theirs.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a channel that is none is at its end") {
  const upgrade_channel none;
  CHECK(none.hear().what == heard::end);
  CHECK_FALSE(none.say("ready "));
}
