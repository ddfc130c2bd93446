"""A program for each client, over plain TCP and over TLS: what it finds, and how both sides end."""
import os
import signal
import socket
import ssl
import tempfile
import threading

from example import ExampleTest, main, members_of, wait_for_end, wait_until, wait_until_it_waits

STUBBORN = 'trap "" TERM; echo $$; while :; do sleep 1000 & wait; done'
POLITE = 'trap "echo asked > $0; exit" TERM; echo $$; sleep 1000 & wait'


class Exec:
    """What holds over both."""
    flags = []

    def serve(self, *command, **how):
        self.example = self.start(*self.flags, "0", *command, **how)
        return self.example

    def visit(self):
        return self.connect(self.example.port, **self.trust())

    def kids(self):
        return [pid for pid in members_of(self.example.pid) if pid != self.example.pid]

    def assert_nothing_is_left_of_the_client(self):
        wait_until(lambda: not self.kids(), "neither kid nor program is left, not even as a zombie")

    def test_the_program_hears_and_answers(self):
        self.serve("sh", "-c", 'echo say something; read line; echo "you said: $line"')
        client = self.visit()
        self.assertEqual(client.read_line(), "say something\n")
        client.send("peace\n")
        self.assertEqual(client.read_all(), b"you said: peace\n")
        self.assert_nothing_is_left_of_the_client()
        self.assertEqual(self.example.stop(), 0)

    def test_the_environment_says_who_the_client_is(self):
        self.serve("env", env={**os.environ, "TCPREMOTEIP": "somebody else", "KEPT": "as it was"})
        client = self.visit()
        lines = client.read_all().decode().splitlines()
        self.assertEqual(sum(line.startswith("TCPREMOTEIP=") for line in lines), 1)
        environment = dict(line.split("=", 1) for line in lines if "=" in line)
        self.assertEqual({name: environment.get(name) for name in
                          ("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT", "REMOTE_HOST", "KEPT")},
                         {"PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": str(client.address[1]),
                          "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": str(self.example.port), "REMOTE_HOST": "127.0.0.1",
                          "KEPT": "as it was"})

    def test_arguments_reach_the_program_as_they_are(self):
        self.serve("printf", "%s|", "two words", "$HOME", "", "*")
        self.assertEqual(self.visit().read_all(), b"two words|$HOME||*|")

    def test_who_has_said_all_still_gets_the_answer(self):
        self.serve("wc", "-c")
        client = self.visit()
        client.send(b"x" * 100000)
        client.half_close()
        self.assertEqual(client.read_all().strip(), b"100000")

    def test_bytes_go_both_ways_at_once_and_stay_the_same(self):
        self.serve("cat")
        sent = os.urandom(4_000_000)
        client = self.visit()
        received = []
        reader = threading.Thread(target=lambda: received.append(client.read_all()))
        if self.flags:
            # A TLS session has one user at a time; the kernel's buffers, the relay's and the pipes' hold this much.
            sent = sent[:50_000]
            for begin in range(0, len(sent), 5000):
                client.send(sent[begin:begin + 5000])
            client.half_close()
            reader.start()
        else:
            reader.start()
            client.send(sent)
            client.half_close()
        reader.join()
        self.assertTrue(received[0] == sent, f"{len(received[0])} bytes of {len(sent)} came back")

    def test_a_program_that_does_not_listen_may_talk(self):
        self.serve("sh", "-c", "exec <&-; head -c 3000000 /dev/zero")
        client = self.visit()
        client.send("is anybody there?\n")
        self.assertEqual(len(client.read_all()), 3000000)
        client.close()
        self.assert_nothing_is_left_of_the_client()

    def test_a_long_output_arrives_whole_though_the_client_is_slow_to_begin(self):
        self.serve("sh", "-c", "echo $$; exec head -c 20000000 /dev/zero")
        client = self.visit()
        wait_until_it_waits(int(client.read_line()))
        self.assertEqual(len(client.read_all()), 20000000)
        self.assert_nothing_is_left_of_the_client()

    def test_the_end_of_the_program_is_the_end_of_its_client_and_of_its_children(self):
        self.serve("sh", "-c", "sleep 1000 & echo goodbye")
        client = self.visit()
        self.assertEqual(client.read_line(), "goodbye\n")
        self.assertEqual(client.read_all(), b"")
        self.assert_nothing_is_left_of_the_client()

    def test_its_last_words_arrive_at_once_though_a_child_holds_the_pipe(self):
        self.serve("sh", "-c", 'sleep 1000 & printf "%50000d" 1')
        client = self.visit()
        client.socket.settimeout(4)  # the relay would wait 5 s
        self.assertEqual(len(client.read_all()), 50000)
        self.assert_nothing_is_left_of_the_client()

    def test_a_child_that_goes_on_printing_changes_nothing_about_that(self):
        self.serve("sh", "-c", "yes & read line")
        client = self.visit()
        received = 0
        while received < 1_000_000:
            received += len(client.read_some())
        client.send("enough\n")
        self.assertRegex(client.read_all(), b"^[y\n]*$")
        self.assert_nothing_is_left_of_the_client()

    def test_a_killed_program_is_the_end_of_its_client(self):
        self.serve("sh", "-c", "echo $$; kill -9 $$")
        self.assertRegex(self.visit().read_all().decode(), r"^\d+\n$")
        self.assert_nothing_is_left_of_the_client()
        self.assertEqual(self.example.stop(), 0)

    def test_when_the_client_vanishes_the_program_is_asked_to_end(self):
        with tempfile.TemporaryDirectory() as directory:
            self.serve("sh", "-c", POLITE, directory + "/asked")
            client = self.visit()
            program = int(client.read_line())
            client.vanish()
            wait_for_end(program)
            self.assertTrue(os.path.exists(directory + "/asked"))
        self.assert_nothing_is_left_of_the_client()

    def test_a_program_that_will_not_end_is_killed_with_its_children(self):
        self.serve("sh", "-c", STUBBORN)
        client = self.visit()
        program = int(client.read_line())
        client.vanish()
        wait_for_end(program)
        self.assert_nothing_is_left_of_the_client()
        self.assertEqual(self.example.stop(), 0)

    def test_signals_are_in_the_program_as_if_nobody_had_touched_them(self):
        # Also SIGPIPE, which whoever starts the server may have ignored.
        self.serve("grep", "^Sig[BI]", "/proc/self/status", restore_signals=False)
        masks = dict(line.split(":\t") for line in self.visit().read_all().decode().splitlines())
        ours = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD,
                signal.SIGPIPE)
        for name in ("SigBlk", "SigIgn"):
            touched = [number.name for number in ours if int(masks[name], 16) >> (number - 1) & 1]
            self.assertEqual(touched, [], name)

    def test_nothing_but_the_three_standard_descriptors_is_open_in_the_program(self):
        self.serve("sh", "-c", "ls /proc/$$/fd")
        self.assertEqual(self.visit().read_all().split(), [b"0", b"1", b"2"])

    def test_a_program_that_cannot_be_started_costs_its_client_and_not_the_server(self):
        self.serve("/nowhere/at/all")
        self.assertEqual(self.visit().read_all(), b"")
        self.example.wait_for("on_process threw: .*No such file")
        self.assertEqual(self.visit().read_all(), b"")
        self.assertEqual(self.example.stop(), 0)

    def test_a_stop_waits_a_moment_and_then_ends_the_programs(self):
        self.serve("sh", "-c", 'trap "" TERM; echo $$; exec sleep 1000')
        program = int(self.visit().read_line())
        self.example.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.example.wait(), 0)
        wait_for_end(program)

    def test_a_stop_asks_the_programs_to_end(self):
        with tempfile.TemporaryDirectory() as directory:
            self.serve("sh", "-c", POLITE, directory + "/asked")
            client = self.visit()
            client.read_line()
            self.example.process.send_signal(signal.SIGTERM)
            self.assertEqual(client.read_all(), b"")
            self.assertEqual(self.example.wait(), 0)
            self.assertTrue(os.path.exists(directory + "/asked"))

    def test_a_program_that_ends_by_itself_soon_after_a_stop_is_left_to_it(self):
        self.serve("sh", "-c", 'trap "echo asked" TERM; echo ready; read line; echo "you said: $line"')
        client = self.visit()
        self.assertEqual(client.read_line(), "ready\n")
        self.example.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.refuses(), "nobody new is let in")
        client.send("peace\n")
        self.assertEqual(client.read_all(), b"you said: peace\n")
        self.assertEqual(self.example.wait(), 0)

    def refuses(self):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            try:
                return probe.connect_ex(("127.0.0.1", self.example.port)) != 0
            except OSError:
                return True


class OverPlain(Exec, ExampleTest):
    def trust(self):
        return {}

    def test_the_program_has_the_socket_itself(self):
        self.serve("sh", "-c", "ls -l /proc/$$/fd | grep -c socket:")
        self.assertGreaterEqual(int(self.visit().read_all()), 2)

    def test_what_is_no_port_or_no_program_is_refused(self):
        for wrong in ([], ["0"], ["frog", "cat"], ["--tls"], ["--tls", "0"], ["70000", "cat"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)
        self.assert_refuses("0", "there-is-no-such-program", saying="there is no program 'there-is-no-such-program' on PATH")


class OverTls(Exec, ExampleTest):
    flags = ["--tls"]

    def trust(self):
        with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
            file.write(ssl.get_server_certificate(("127.0.0.1", self.example.port), timeout=30).encode())
        self.addCleanup(os.unlink, file.name)
        return {"trusts": file.name}

    def test_records_that_come_in_one_piece_are_all_delivered(self):
        self.serve("cat")
        client = self.visit()
        client.send_together("one\n", "two\n", "three\n")
        self.assertEqual([client.read_line() for _ in range(3)], ["one\n", "two\n", "three\n"])

    def test_a_program_that_has_said_all_may_listen_on(self):
        with tempfile.TemporaryDirectory() as directory:
            self.serve("sh", "-c", 'echo goodbye; exec >&-; cat > $0; mv $0 $0.whole', directory + "/heard")
            client = self.visit()
            self.assertEqual(client.read_all(), b"goodbye\n")  # and close_notify
            client.send("one last thing")
            client.half_close()
            self.assert_nothing_is_left_of_the_client()
            with open(directory + "/heard.whole", encoding="utf-8") as file:
                self.assertEqual(file.read(), "one last thing")

    def test_a_program_that_does_not_end_when_both_have_said_all_is_ended(self):
        self.serve("sh", "-c", "echo $$; exec >&-; exec sleep 1000")
        client = self.visit()
        program = int(client.read_all())
        client.half_close()
        wait_for_end(program)

    def test_a_stream_that_is_cut_off_is_no_end_of_input(self):
        with tempfile.TemporaryDirectory() as directory:
            # Would it take half an order for a whole one, it would say so.
            self.serve("sh", "-c", 'echo $$; cat > /dev/null; echo executed > $0', directory + "/executed")
            client = self.visit()
            program = int(client.read_line())
            client.send("pay all my money to")
            client.socket.shutdown(socket.SHUT_WR)  # without close_notify
            wait_for_end(program)
            self.assertFalse(os.path.exists(directory + "/executed"))


main()
