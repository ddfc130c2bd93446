// The command line of 3_every_hook: what it takes in both forms, and what it refuses in one sentence.
#include "conformance/every_hook.hpp"

#include <algorithm>

using namespace conformance;

namespace {

/// A program that was only started to say something: its status and its words.
struct said {
  int status;
  std::string words;
};

said start_with(const flags& arguments) {
  launch what;
  what.program = every_hook_program();
  what.arguments = arguments;
  what.traced = false;
  server_process program{what};
  const int status = program.wait();
  return {status, program.output()};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a flag that is none, or a value that is none, is refused in one sentence which names it, and not with run()'s 100") {
  const auto arguments = GENERATE(
      flags{"--nonsense"}, flags{"nonsense"}, flags{""}, flags{"--"}, flags{"-p"}, flags{"--Port=1"}, flags{"--port"},
      flags{"--port="}, flags{"--port=65536"}, flags{"--port", "-1"}, flags{"--port= 80"}, flags{"--port=80 "},
      flags{"--port=0x50"}, flags{"--port=+80"}, flags{"--prefork=two"}, flags{"--prefork=1.5"}, flags{"--prefork=99999999999"},
      flags{"--maxfork", ""}, flags{"--timeout=nan"}, flags{"--timeout=inf"}, flags{"--timeout=4s"}, flags{"--grace=1e300"},
      flags{"--px-idle=--grace"}, flags{"--policy=Prefork"}, flags{"--policy", "pre"}, flags{"--policy="},
      flags{"--transport=tls"}, flags{"--process=nonsense"}, flags{"--process=sleep"}, flags{"--process=sleep="},
      flags{"--process=sleep=-1"}, flags{"--process=sleep=never"}, flags{"--process=exit=256"}, flags{"--process=exit="},
      flags{"--verify=maybe"}, flags{"--break-in=on_nothing"}, flags{"--break-in", "listen_ok"}, flags{"--debug=maybe"},
      flags{"--prop-sigusr="}, flags{"--trace=/nowhere/at/all"}, flags{"--trace=/"});
  CAPTURE(arguments);
  const auto [status, words] = start_with(arguments);
  CHECK(status == 2);
  CHECK(std::count(words.begin(), words.end(), '\n') == 1);
  const auto& about = arguments.front();
  CHECK(contains(words, about.substr(0, about.find('='))));
}

TEST_CASE("--help lists every flag, and starts nothing") {
  const auto [status, words] = start_with({"--port=70", "--help"});
  CHECK(status == 0);
  for (const char* flag :
       {"--policy", "--transport", "--port", "--address", "--prefork", "--maxfork", "--timeout", "--px-idle", "--grace",
        "--prop-sigusr", "--debug", "--cert", "--key", "--ca", "--verify", "--process", "--break-in", "--trace"}) {
    CAPTURE(flag);
    CHECK(contains(words, flag));
  }
}

TEST_CASE("a value may stand in the flag or after it, and the last one counts") {
  const auto given =
      GENERATE(flags{"--timeout=2", "--prefork=3", "--maxfork=5", "--px-idle=7.5", "--process=exit=3"},
               flags{"--timeout", "2", "--prefork", "3", "--maxfork", "5", "--px-idle", "7.5", "--process", "exit=3"},
               flags{"--timeout=9", "--timeout", "2", "--prefork=4", "--prefork=3", "--maxfork=5", "--px-idle", "7.5",
                     "--process", "hello", "--process=exit=3"});
  CAPTURE(given);
  every_hook server{"prefork", given};
  server.wait_for_kids(3);
  const auto line = server.trace().wait_for({.hook = "on_server_begin"});
  CHECK(line.number("timeout_ms") == 2000);
  CHECK(line.number("prefork") == 3);
  CHECK(line.number("maxfork") == 5);
  CHECK(line.number("px_idle_ms") == 7500);
  CHECK(visit(server).text.empty());
  CHECK(server.trace().wait_for({.hook = "on_sig_child"}).number("status") == 3 << 8);
  CHECK(server.stop() == 0);
}

TEST_CASE("a switch stands alone, or is given true or false") {
  struct row {
    flags given;
    bool on;
  };
  const auto which =
      GENERATE(row{{}, false}, row{{"--prop-sigusr"}, true}, row{{"--prop-sigusr=true"}, true}, row{{"--prop-sigusr", "1"}, true},
               row{{"--prop-sigusr=0"}, false}, row{{"--prop-sigusr", "false"}, false}, row{{"--prop-sigusr", "--debug"}, true});
  CAPTURE(which.given);
  every_hook server{"prefork", flags{"--prefork=1", "--maxfork=1"} + which.given};
  server.wait_for_kids(1);
  server.signal(SIGUSR1);
  server.trace().wait_for({.hook = "on_sig_usr1"});
  if (which.on)
    server.trace().wait_for({.hook = "on_child_sig_usr1"});
  else
    CHECK(server.trace().quiet({.hook = "on_child_sig_usr1"}, 300ms));
  CHECK(server.stop() == 0);
}

TEST_CASE("without --trace it serves all the same, and the log tells the port") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  CAPTURE(policy);
  launch what;
  what.program = every_hook_program();
  what.arguments = {"--policy", policy, "--address", "127.0.0.1"};
  what.traced = false;
  server_process server{what};
  const std::string before_port = "listening on 127.0.0.1:";
  REQUIRE(eventually([&] { return contains(server.output(), before_port); }));
  const auto text = server.output();
  const int port = std::stoi(text.substr(text.find(before_port) + before_port.size()));
  CHECK(client{static_cast<std::uint16_t>(port)}.read_all() == hello);
  CHECK(server.stop() == 0);
}

TEST_CASE("each line of the trace is MILLISECONDS P|C PID HOOK key=value…, with the counts in it, in any composition") {
  const std::string policy = GENERATE(as<std::string>{}, "nofork", "forking", "prefork");
  const std::string transport = GENERATE(as<std::string>{}, "plain", "ssl");
  CAPTURE(policy, transport);
  every_hook server{policy, {"--transport=" + transport, "--timeout=1"}};
  client connection{server.port()};
  connection.close();
  server.trace().wait_for({.hook = "on_close"});
  server.signal(SIGUSR2);
  server.trace().wait_for({.hook = "on_sig_usr2"});
  CHECK(server.stop() == 0);
  long last = 0;
  for (const auto& line : server.trace().lines()) {
    CAPTURE(line.whole);
    CHECK(line.at >= 0);
    CHECK((line.side == 'P' || line.side == 'C'));
    CHECK(line.hook.starts_with("on_"));
    for (const char* key : {"busy", "kids", "is_child"}) CHECK(line.has(key));
    CHECK(line.number("busy") <= line.number("kids"));
    CHECK((line.number("is_child") == 0 || line.number("is_child") == 1));
    if (line.pid == server.pid()) CHECK(line.at >= std::exchange(last, line.at));
    if (line.hook == "on_fork_ok" || line.hook == "on_sig_child") CHECK(line.number("pid") > 0);
    if (line.hook == "on_sig_child") CHECK(line.number("status") == 0);
    if (line.hook == "on_accept_ok" || line.hook == "on_process" || line.hook == "on_close")
      CHECK(line.text("peer").starts_with("127.0.0.1:"));
    if (line.hook == "on_ssl_error") CHECK_FALSE(line.text("error").empty());
  }
}
