"""A web page, for curl, for a browser and for clients that break the rules."""
import http.client
import json
import re
import shutil
import tempfile
import unittest

from example import PATIENCE, ExampleTest, curl, main, run, wait_until

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Http(ExampleTest):
    def setUp(self):
        super().setUp()
        self.example = self.start("0")
        self.url = f"http://127.0.0.1:{self.example.port}"
        wait_until(lambda: len(self.example.kids()) == 8, "the pool is full")

    def status(self):
        code, output, errors = curl(self.url + "/status.json")
        self.assertEqual(code, 0, errors)
        return json.loads(output)

    def answer_to(self, text):
        """What raw bytes are answered with, and then the connection is closed."""
        client = self.connect(self.example.port)
        client.send(text)
        return client.read_all().decode()

    def test_curl_gets_the_page(self):
        code, output, errors = curl("--include", self.url + "/")
        self.assertEqual(code, 0, errors)
        head, _, page = output.partition("\r\n\r\n")
        self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
        self.assertIn("Content-Type: text/html; charset=utf-8", head)
        self.assertIn("Cache-Control: no-store", head)
        self.assertIn("1 of 8 waiters busy", page)
        self.assertEqual((page.count('<li class="me">'), page.count("<li>")), (1, 7))
        kid = int(re.search(r"<dt>Your waiter</dt><dd>(\d+)</dd>", page)[1])
        self.assertIn(kid, self.example.kids())
        self.assertEqual(self.example.stop(), 0)

    @unittest.skipUnless(BROWSER, "there is no Chromium")
    def test_a_browser_gets_the_page(self):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as fresh:
            _, page, errors = run(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                                  "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
                                  f"--user-data-dir={fresh}", "--dump-dom", self.url + "/")
        self.assertIn("waiters busy</h1>", page, errors[-500:])

    def test_programs_get_the_same_as_json(self):
        now = self.status()
        self.assertEqual(sorted(now), ["busy", "clients", "kids", "pid", "requests", "uptime"])
        self.assertIn(now["pid"], self.example.kids())
        self.assertEqual((now["kids"], now["requests"]), (8, 1))

    def test_it_counts_who_is_busy(self):
        waiting = [self.connect(self.example.port) for _ in range(3)]
        self.assertEqual(wait_until(lambda: (busy := self.status()["busy"]) == 4 and busy, "three others are busy"), 4)
        for client in waiting:
            client.close()
        wait_until(lambda: self.status()["busy"] == 1, "they have gone")

    def test_one_connection_carries_many_requests(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.example.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        answers = []
        for _ in range(3):
            connection.request("GET", "/status.json")
            answers.append(json.load(connection.getresponse()))
        self.assertEqual([answer["requests"] for answer in answers], [1, 2, 3])
        self.assertEqual(len({answer["pid"] for answer in answers}), 1)

    def test_http_1_0_is_closed_after_one(self):
        answer = self.answer_to("GET /status.json HTTP/1.0\r\n\r\n")
        self.assertRegex(answer, r"^HTTP/1\.[01] 200 OK\r\n")

    def test_head_is_get_without_the_page(self):
        code, output, errors = curl("--head", self.url + "/")
        self.assertEqual(code, 0, errors)
        self.assertGreater(int(re.search(r"Content-Length: (\d+)", output)[1]), 1000)
        # curl would not look at it.
        self.assertTrue(self.answer_to("HEAD / HTTP/1.0\r\n\r\n").endswith("\r\n\r\n"))

    def test_what_is_not_there_is_404(self):
        self.assertEqual(curl("--output", "/dev/null", "--write-out", "%{http_code}", self.url + "/nothing")[1], "404")
        self.assertEqual(curl("--output", "/dev/null", "--write-out", "%{http_code}", self.url + "/?query")[1], "200")

    def test_only_get_and_head_are_allowed(self):
        code, output, errors = curl("--include", "--data", "some=thing", self.url + "/")
        self.assertEqual(code, 0, errors)
        self.assertTrue(output.startswith("HTTP/1.1 405 Method Not Allowed\r\n"), output)
        self.assertIn("Allow: GET, HEAD", output)

    def test_what_is_no_request_or_too_large_is_told_so_and_closed(self):
        self.assertTrue(self.answer_to("this is no request\r\n\r\n").startswith("HTTP/1.1 400 "))
        self.assertTrue(self.answer_to("GET / HTTP/1.1\r\nX: " + "x" * 10000 + "\r\n\r\n").startswith("HTTP/1.1 431 "))
        large = "POST / HTTP/1.1\r\nContent-Length: 10000\r\n\r\n" + "x" * 10000
        self.assertTrue(self.answer_to(large).startswith("HTTP/1.1 413 "))
        self.assertEqual(self.status()["kids"], 8)

    def test_who_sends_half_a_request_is_closed(self):
        self.assertEqual(self.answer_to("GET / HTTP/1.1\r\nHost:"), "")

    def test_what_is_no_port_is_refused(self):
        for wrong in (["frog"], ["0", "0"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)


main()
