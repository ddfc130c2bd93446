"""A fork policy of one's own: kids that make room for fresh ones."""
import os
import re
import signal
from collections import Counter

from example import ExampleTest, main, wait_for_end, wait_until


class OwnForkPolicy(ExampleTest):
    def setUp(self):
        super().setUp()
        self.example = self.start("0")

    def greeting(self):
        """Which of its clients a kid says that we are, and the kid."""
        said = re.fullmatch(r"hello, you are client (\d+) of 3 of process (\d+)\n", self.connect(self.example.port).read_all().decode())
        return int(said[1]), int(said[2])

    def wait_for_two_kids(self):
        return wait_until(lambda: len(kids := self.example.kids()) == 2 and kids, "the pool is full")

    def test_a_kid_serves_three_clients_and_makes_room(self):
        kids = Counter()
        for _ in range(20):
            number, kid = self.greeting()
            kids[kid] += 1
            self.assertEqual(number, kids[kid])
        self.assertGreaterEqual(len(kids), 7)
        self.assertEqual(max(kids.values()), 3)
        for kid, served in kids.items():
            if served == 3:
                wait_for_end(kid)
        self.assertLessEqual(set(self.wait_for_two_kids()), set(map(int, re.findall(r"fresh kid: (\d+)", self.example.output()))))
        self.assertEqual(self.example.stop(), 0)

    def test_two_serve_at_once(self):
        clients = [self.connect(self.example.port) for _ in range(8)]
        self.assertEqual(sum(b"hello" in client.read_all() for client in clients), 8)

    def test_a_kid_that_is_killed_is_replaced(self):
        for _ in range(5):
            before = self.wait_for_two_kids()
            os.kill(before[0], signal.SIGKILL)
            wait_for_end(before[0])
            self.assertEqual(len(set(before) & set(self.wait_for_two_kids())), 1)
        self.assertIn(self.greeting()[0], (1, 2, 3))

    def test_kids_leave_when_nobody_looks_after_them(self):
        kids = self.wait_for_two_kids()
        self.example.process.kill()
        for kid in kids:
            wait_for_end(kid)

    def test_what_is_no_port_is_refused(self):
        for wrong in (["frog"], ["0", "0"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)


main()
