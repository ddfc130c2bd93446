#include "faults/faults.hpp"

#include <csignal>

using namespace faults;

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
    CAPTURE(load.text(), server.output());
    CHECK(load["reset_after_connect"] == 0);
    CHECK(load["closed_without_answer"] == 0);
    CHECK(load["answer_timeout"] == 0);
    CHECK(load["answered"] > 0);
    CHECK(load["refused"] > 0);
    CHECK(load.status() == 0);
    CHECK(server.wait() == 0);
    answered += load["answered"];
  }
  report("stop under load, " + policy + ' ' + transport + (privileged ? "" : ", unprivileged") + ": nobody lost of", static_cast<double>(answered), "");
}
