"""The first example of all, as it stands in the README: it takes no arguments, so its port is a fixed one."""
import socket
import sys

from example import Client, ExampleTest, main, wait_until

PORT = 9123


def nobody_listens():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", PORT))
        except OSError:
            return False
        return True


class Hello(ExampleTest):
    def connect_when_it_listens(self):
        def attempt():
            try:
                return Client(PORT)
            except ConnectionRefusedError:
                return None
        return wait_until(attempt, "it listens")

    def test_a_client_is_greeted_and_the_log_says_who_came(self):
        example = self.start()
        with self.connect_when_it_listens() as client:
            self.assertEqual(client.read_all(), b"hello world\n")
            example.wait_for(f"client connected from 127.0.0.1:{client.address[1]}\n")
        wait_until(lambda: len(example.kids()) == 8, "the pool is full")
        self.assertEqual(example.stop(), 0)

    def test_a_second_one_says_why_it_does_not_listen(self):
        example = self.start()
        self.connect_when_it_listens().close()
        self.assert_refuses(saying="not listening: cannot listen on 0.0.0.0:9123", status=100)
        self.assertEqual(example.stop(), 0)


if not nobody_listens():
    print(f"another program listens on port {PORT}")
    sys.exit(77)
main()
