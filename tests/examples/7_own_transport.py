"""A transport of one's own: the PROXY protocol's first line, to the byte."""
from example import ExampleTest, curl, main


class OwnTransport(ExampleTest):
    def setUp(self):
        super().setUp()
        self.example = self.start("0")

    def greeting(self, client, peer):
        return f"hello {peer}, brought here by 127.0.0.1:{client.address[1]}\n"

    def assert_greeted(self, header, peer, then=""):
        client = self.connect(self.example.port)
        self.assertEqual(client.ask(header + then), self.greeting(client, peer) + "".join(
            f"you said: {line}\n" for line in then.splitlines()))

    def assert_refused(self, header, reason, times=1):
        client = self.connect(self.example.port)
        client.send(header)
        client.half_close()
        self.assertEqual(client.read_all(), b"")
        self.example.wait_for(f"refused: {reason}\n", times)

    def test_the_line_tells_who_the_client_is(self):
        self.assert_greeted("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", "203.0.113.7:56324")
        self.assert_greeted("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "[2001:db8::7]:56324")
        self.assertEqual(self.example.stop(), 0)

    def test_what_follows_the_line_is_the_clients(self):
        self.assert_greeted("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", "203.0.113.7:56324", then="one\ntwo\n")
        self.assert_greeted("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "1.1.1.1:1", then="\r\n")

    def test_the_line_may_come_byte_by_byte(self):
        client = self.connect(self.example.port)
        for byte in "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n":
            client.send(byte)
        self.assertEqual(client.ask("hello\n"), self.greeting(client, "203.0.113.7:56324") + "you said: hello\n")

    def test_a_balancer_that_does_not_know_is_the_client_itself(self):
        for header in ("PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"):
            client = self.connect(self.example.port)
            self.assertEqual(client.ask(header + "hi\n"),
                             self.greeting(client, f"127.0.0.1:{client.address[1]}") + "you said: hi\n")

    def test_the_longest_line_has_107_bytes(self):
        longest = "PROXY UNKNOWN " + "f" * 91 + "\r\n"
        self.assertEqual(len(longest), 107)
        client = self.connect(self.example.port)
        self.assertIn("hello", client.ask(longest))
        for times, rest in enumerate(("f" * 92, "\r" + "f" * 91), 1):
            self.assert_refused("PROXY UNKNOWN " + rest + "\r\n", "what came is no PROXY line", times)

    def test_curl_speaks_it_too(self):
        code, output, errors = curl("--haproxy-protocol", "--http0.9", "--max-time", "5", f"http://127.0.0.1:{self.example.port}/")
        # The greeter does not speak HTTP, so curl waits for an end that does not come.
        self.assertIn(code, (0, 28), errors)
        self.assertRegex(output, r"^hello 127\.0\.0\.1:\d+, brought here by 127\.0\.0\.1:\d+\nyou said: GET / HTTP/1\.1\n")

    def test_what_is_no_such_line_is_refused(self):
        self.assert_refused("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "what came is no PROXY line")
        self.assert_refused("PROXY", "no PROXY line: End of file")
        for times, line in enumerate((
                "PROXY TCP4 203.0.113.7 192.0.2.1 56324\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443 more\r\n",
                "PROXY TCP4 203.0.113.7  192.0.2.1 56324 443\r\n", "PROXY TCP4 203.0.113.256 192.0.2.1 56324 443\r\n",
                "PROXY TCP4 203.0.113.7 192.0.2.1 65536 443\r\n", "PROXY TCP4 2001:db8::7 192.0.2.1 56324 443\r\n",
                "PROXY TCP6 203.0.113.7 192.0.2.1 56324 443\r\n", "PROXY TCP5 203.0.113.7 192.0.2.1 56324 443\r\n",
                "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\n\r\n"), 1):
            with self.subTest(line):
                self.assert_refused(line, "a PROXY line that I cannot read", times)

    def test_a_line_that_never_ends_has_three_seconds(self):
        client = self.connect(self.example.port)
        client.send("PROXY TCP4 ")
        self.assertEqual(client.read_all(), b"")
        self.example.wait_for("refused: no PROXY line: the client's deadline has passed")

    def test_nobody_but_the_balancer_may_connect(self):
        stranger = self.connect(self.example.port, source=("127.0.0.2", 0))
        stranger.send("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n")
        self.assertEqual(stranger.read_all(), b"")
        self.example.wait_for("refused: this is not the balancer\n")

    def test_a_balancer_that_is_no_address_is_named_in_one_sentence(self):
        self.assert_refuses("0", "the other one", saying="not listening: the balancer 'the other one' is no address", status=100)

    def test_what_is_no_port_is_refused(self):
        for wrong in (["frog"], ["0", "127.0.0.1", "more"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)


main()
