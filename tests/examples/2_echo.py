"""Lines, limits and deadlines."""
import select

from example import ExampleTest, main

TIME_IS_UP = "Your time is up. Goodbye.\n"
TOO_LONG = "That line is too long for me. Goodbye.\n"


class Echo(ExampleTest):
    def test_lines_come_back_as_they_are_said(self):
        example = self.start("0")
        client = self.connect(example.port)
        client.send("hello\n")
        self.assertEqual(client.read_line(), "hello\n")
        client.send("in two ")
        client.send("pieces\r\nand ")
        self.assertEqual(client.read_line(), "in two pieces\n")
        self.assertEqual(client.ask("a last one without its end"), "and a last one without its end\n")
        self.assertEqual(example.stop(), 0)

    def test_a_line_of_1000_characters_is_short_enough(self):
        example = self.start("0")
        self.assertEqual(self.connect(example.port).ask("x" * 1000 + "\r\n"), "x" * 1000 + "\n")

    def test_who_says_a_longer_line_is_told_so_and_closed(self):
        example = self.start("0")
        self.assertEqual(self.connect(example.port).ask("fine\n" + "x" * 1001 + "\nmore\n"), "fine\n" + TOO_LONG)
        # Also when the end of the line never comes.
        self.assertEqual(self.connect(example.port).ask("x" * 100000), TOO_LONG)

    def test_who_is_silent_is_told_that_his_time_is_up(self):
        example = self.start("0", "1")
        client = self.connect(example.port)
        client.send("hello\n")
        self.assertEqual(client.read_all().decode(), "hello\n" + TIME_IS_UP)

    def test_who_talks_on_and_on_is_told_so_too(self):
        example = self.start("0", "1")
        client = self.connect(example.port)
        text, lines = b"", 0
        while not text.endswith(TIME_IS_UP.encode()):
            if select.select([client.socket], [], [], 0.4)[0]:
                part = client.read_some()
                self.assertTrue(part, "closed without a word after " + text[-100:].decode())
                text += part
            else:
                client.send("still here\n")
                lines += 1
        self.assertGreater(lines, 4)
        self.assertEqual(text.decode().replace(TIME_IS_UP, "").replace("still here\n", ""), "")
        self.assertEqual(client.read_all(), b"")

    def test_the_eleventh_at_once_is_turned_away_and_the_ten_are_served(self):
        example = self.start("0")
        ten = [self.connect(example.port) for _ in range(10)]
        for client in ten:
            client.send("hello\n")
            self.assertEqual(client.read_line(), "hello\n")
        self.assertEqual(self.connect(example.port).ask("hello\n"), "Too many at once. Please come back later.\n")
        for client in ten:
            self.assertEqual(client.ask("goodbye\n"), "goodbye\n")
        self.assertEqual(example.stop(), 0)

    def test_what_is_no_port_is_refused(self):
        for wrong in (["frog"], ["65536"], ["-1"], [""], ["0", "0"], ["0", "1", "more"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)


main()
