"""A room in which all hear each other."""
from example import ExampleTest, main


class Chat(ExampleTest):
    def enter(self, port, name):
        client = self.connect(port)
        self.assertEqual(client.read_line(), "What is your name?\n")
        client.send(name + "\n")
        self.assertEqual(client.read_line(), f"* {name} is here\n")
        return client

    def test_all_hear_each_other(self):
        example = self.start("0")
        ada = self.enter(example.port, "Ada")
        bob = self.enter(example.port, "Bob")
        self.assertEqual(ada.read_line(), "* Bob is here\n")
        ada.send("hello\n")
        self.assertEqual(ada.read_line(), "Ada: hello\n")
        self.assertEqual(bob.read_line(), "Ada: hello\n")
        bob.socket.close()
        self.assertEqual(ada.read_line(), "* Bob has left\n")
        self.assertEqual(example.stop(), 0)

    def test_a_hundred_hear_one_in_one_process(self):
        example = self.start("0")
        crowd = [self.enter(example.port, f"n{i}") for i in range(100)]
        crowd[0].send("hear me\n")
        for client in crowd:
            while (line := client.read_line()) != "n0: hear me\n":
                self.assertRegex(line, r"^\* n\d+ is here\n$")
        self.assertEqual(example.stop(), 0)

    def test_who_only_listens_is_sent_away_at_the_stop(self):
        example = self.start("0")
        ada = self.enter(example.port, "Ada")
        self.assertEqual(example.stop(), 0)
        ada.read_all()


main()
