// A program that a hook starts inherits the mask and the dispositions that it would have had without a server.
#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/server_process.hpp"
#include "support/tls_client.hpp"

#include <csignal>
#include <cstdlib>
#include <set>
#include <string>

using namespace support;

namespace {

/// Drives a server through all of its hooks, and compares what was inherited in each with what was before run().
void all_hooks(const std::string& policy, const std::string& transport, std::set<std::string> expected) {
  temp_directory files;
  make_certificate(files / "cert", files / "key");
  server_process server({.program = std::getenv("WAITER_STARTING_SERVER"),
                         .arguments = {"--policy=" + policy, "--transport=" + transport, "--cert=" + (files / "cert").string(),
                                       "--key=" + (files / "key").string()}});
  const auto port = server.port();
  const bool kids = policy != "nofork";
  if (policy == "prefork") server.trace().wait_for({.hook = "on_child_start"});

  client one(port);
  if (transport == "ssl") {
    one.ask("no TLS at all\n");
    server.trace().wait_for({.hook = "on_ssl_error"});
  } else {
    const auto kid = server.trace().wait_for({.hook = "on_process"}).pid;
    server.signal(SIGHUP);
    server.trace().wait_for({.hook = "on_sig_hup"});
    server.signal(SIGUSR1);
    server.trace().wait_for({.hook = "on_sig_usr1"});
    if (kids) {
      ::kill(kid, SIGHUP);
      server.trace().wait_for({.hook = "on_child_sig_hup"});
      ::kill(kid, SIGUSR1);
      server.trace().wait_for({.hook = "on_child_sig_usr1"});
      server.trace().wait_for({.hook = "on_child_overtime"});
    }
    if (policy == "forking") client(port).read_all();
    one.ask("go\n");
    server.trace().wait_for({.hook = "on_exception"});
  }
  server.trace().wait_for({.hook = "on_close"});
  if (expected.contains("on_forking_idle")) server.trace().wait_for({.hook = "on_forking_idle"});
  if (expected.contains("on_prefork_child_idle")) server.trace().wait_for({.hook = "on_prefork_child_idle"});
  if (expected.contains("on_sig_child") && policy == "forking") server.trace().wait_for({.hook = "on_sig_child"});
  CHECK(server.stop() == 0);

  const auto before = server.trace().wait_for({.hook = "on_nothing_yet"});
  REQUIRE(before.text("forked").find("SigBlk:0000000008000800,SigIgn:") != std::string::npos);
  for (const auto& line : server.trace().lines()) {
    for (const char* how : {"forked", "spawned"}) {
      if (line.text(how) != before.text(how))
        FAIL_CHECK("a program " << how << " in " << line.hook << " (" << line.side << ") gets " << line.text(how) << " not "
                                << before.text(how));
    }
    expected.erase(line.hook);
  }
  for (const auto& hook : expected) FAIL_CHECK("no program was started in " << hook);
}

}  // namespace

TEST_CASE("a program that a hook starts inherits the mask and the dispositions that it would have had without us",
          "[inherited]") {
  SECTION("nofork") {
    all_hooks("nofork", "plain",
              {"on_server_begin", "on_listen_ok", "on_accept_ok", "on_child_start", "on_process", "on_exception", "on_close",
               "on_child_exit", "on_forking_idle", "on_sig_hup", "on_sig_usr1", "on_server_close", "on_all_over"});
  }
  SECTION("forking") {
    all_hooks("forking", "plain",
              {"on_server_begin", "on_listen_ok", "on_accept_ok", "on_maxforked", "on_fork_ok", "on_child_start", "on_process",
               "on_child_overtime", "on_exception", "on_close", "on_child_exit", "on_forking_idle", "on_sig_child", "on_sig_hup",
               "on_sig_usr1", "on_child_sig_hup", "on_child_sig_usr1", "on_server_close", "on_all_over"});
  }
  SECTION("prefork") {
    all_hooks("prefork", "plain",
              {"on_server_begin", "on_listen_ok", "on_accept_ok", "on_fork_ok", "on_child_start", "on_process",
               "on_child_overtime", "on_exception", "on_close", "on_child_exit", "on_prefork_child_idle", "on_sig_child",
               "on_sig_hup", "on_sig_usr1", "on_child_sig_hup", "on_child_sig_usr1", "on_server_close", "on_all_over"});
  }
  SECTION("TLS") { all_hooks("forking", "ssl", {"on_ssl_error", "on_close", "on_child_exit", "on_sig_child", "on_all_over"}); }
}
