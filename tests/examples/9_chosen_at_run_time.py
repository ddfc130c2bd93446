"""All compositions of the policies, by their names."""
import re
import ssl
import tempfile

from example import PATIENCE, ExampleTest, main


class ChosenAtRunTime(ExampleTest):
    def greeting(self, example, transport):
        trust = {}
        if transport == "ssl":
            with tempfile.NamedTemporaryFile(suffix=".pem") as file:
                file.write(ssl.get_server_certificate(("127.0.0.1", example.port), timeout=PATIENCE).encode())
                file.flush()
                trust = {"trusts": file.name}
                client = self.connect(example.port, **trust)
        else:
            client = self.connect(example.port)
        return client.read_all().decode()

    def test_each_policy_serves_over_each_transport(self):
        for policy in ("nofork", "forking", "prefork"):
            for transport in ("plain", "ssl"):
                with self.subTest(policy=policy, transport=transport):
                    example = self.start("--policy", policy, "--transport", transport, "0")
                    said = re.fullmatch(r"hello from (\w+) over (\w+), process (\d+)\n", self.greeting(example, transport))
                    self.assertEqual((said[1], said[2]), (policy, transport))
                    self.assertEqual(int(said[3]) == example.pid, policy == "nofork")
                    self.assertEqual(example.stop(), 0)

    def test_who_chooses_nothing_gets_forking_over_plain(self):
        self.assertIn("hello from forking over plain", self.greeting(self.start("0"), "plain"))

    def test_what_is_no_choice_is_refused(self):
        for wrong in (["frog"], ["--policy"], ["--policy", "spoon"], ["--transport", "pigeon", "0"], ["0", "--policy", "nofork"],
                      ["--policy", "0"], ["70000"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)


main()
