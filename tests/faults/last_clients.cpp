#include "faults/faults.hpp"

#include <csignal>

using namespace faults;

namespace {

void check_nobody_lost(const load_run& load) {
  CAPTURE(load.text());
  CHECK(load["reset_after_connect"] == 0);
  CHECK(load["closed_without_answer"] == 0);
  CHECK(load["answer_timeout"] == 0);
  CHECK(load["answered"] > 0);
  CHECK(load["refused"] > 0);
  CHECK(load.status() == 0);
}

}  // namespace

// Who is in the queue when the server stops is served, who comes later is refused: nobody is let in and then dropped. With
// privileges the kernel drops who comes, without them it refuses: both ways have to be shown.
TEST_CASE("a stop under load resets nobody and leaves nobody without an answer") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string transport = GENERATE(as<std::string>{}, "plain", "ssl");
  const bool privileged = GENERATE(true, false);
  if (!soaking() && transport == "ssl" && (privileged || policy != "prefork")) return;
  CAPTURE(policy, transport, privileged);
  long answered = 0;
  for (int stop = 0; stop < short_or_long(1, 8); ++stop) {
    launch surroundings;
    if (!privileged) surroundings.in_front = {"setpriv", "--bounding-set=-all", "--inh-caps=-all"};
    troubled_server server{{"--policy=" + policy, "--transport=" + transport, "--prefork=8", "--work=2"}, surroundings};
    flags clients{"--clients", "64", "--seconds", "30", "--until-stop"};
    if (transport == "ssl") clients.push_back("--tls");
    load_run load{server.port(), clients};
    let_pass(short_or_long(300ms, 2000ms));
    server.signal(SIGTERM);
    load.join();
    CAPTURE(server.output());
    check_nobody_lost(load);
    CHECK(server.wait() == 0);
    answered += load["answered"];
  }
  report("stop under load, " + policy + ' ' + transport + (privileged ? "" : ", unprivileged") + ": nobody lost of", static_cast<double>(answered), "");
}

TEST_CASE("a stop under load at two places at once resets nobody and leaves nobody without an answer") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  for (int stop = 0; stop < short_or_long(1, 8); ++stop) {
    troubled_server server{{"--policy=" + policy, "--prefork=8", "--work=2", "--two-places"}, {}};
    const auto second_port = static_cast<std::uint16_t>(server.trace().wait_for({.hook = "on_listen_ok"}).number("second_port"));
    const flags clients{"--clients", "32", "--seconds", "30", "--until-stop"};
    load_run first{server.port(), clients};
    load_run second{second_port, clients};
    let_pass(short_or_long(300ms, 2000ms));
    server.signal(SIGTERM);
    first.join();
    second.join();
    CAPTURE(server.output());
    check_nobody_lost(first);
    check_nobody_lost(second);
    CHECK(server.wait() == 0);
  }
}
