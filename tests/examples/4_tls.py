"""TLS: what a client can verify, what it is told, and what becomes of those who do not speak it."""
import os
import ssl
import tempfile
import warnings

from example import ExampleTest, main, run


class Tls(ExampleTest):
    def start_with_a_certificate_of_its_own(self):
        example = self.start("0")
        return example, example.wait_for(r"certificate: (\S+)")[1]

    def make_certificate(self, name, *more):
        """Signed by itself, in a directory that goes with the test: its two files."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        certificate, key = f"{directory.name}/cert.pem", f"{directory.name}/key.pem"
        status, _, errors = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                                "-out", certificate, *more)
        self.assertEqual(status, 0, errors)
        return certificate, key

    def test_a_client_that_trusts_the_certificate_is_told_protocol_and_cipher(self):
        example, certificate = self.start_with_a_certificate_of_its_own()
        client = self.connect(example.port, trusts=certificate)
        self.assertRegex(client.read_all().decode(), r"^hello stranger, this is TLSv1\.3 with TLS_\w+\n$")
        self.assertEqual(example.stop(), 0)
        self.assertFalse(os.path.exists(os.path.dirname(certificate)), "the certificate goes with the server")

    def test_openssl_verifies_the_certificate_and_its_name(self):
        example, certificate = self.start_with_a_certificate_of_its_own()
        status, output, errors = run("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{example.port}", "-CAfile", certificate,
                                     "-verify_return_error", "-verify_hostname", "localhost")
        self.assertEqual(status, 0, errors)
        self.assertTrue(output.startswith("hello stranger, this is TLSv1.3"), output)

    def test_a_client_of_tls_1_2_is_served_too(self):
        example, certificate = self.start_with_a_certificate_of_its_own()
        with warnings.catch_warnings():
            client = self.connect(example.port, trusts=certificate, maximum_version=ssl.TLSVersion.TLSv1_2)
        self.assertRegex(client.read_all().decode(), r"^hello stranger, this is TLSv1\.2 with ECDHE-ECDSA-\S+\n$")

    def test_plain_text_is_no_session_and_the_log_says_so(self):
        example, certificate = self.start_with_a_certificate_of_its_own()
        client = self.connect(example.port)
        client.send("GET / HTTP/1.0\r\n\r\n")
        self.assertNotIn(b"hello", client.read_all())
        example.wait_for("no session: TLS handshake: http request")
        self.assertIn(b"hello", self.connect(example.port, trusts=certificate).read_all())

    def test_clients_that_are_silent_hold_up_nobody_else(self):
        example, certificate = self.start_with_a_certificate_of_its_own()
        for _ in range(8):  # twice as many as there are kids at first
            self.connect(example.port)
        self.assertIn(b"hello", self.connect(example.port, trusts=certificate).read_all())

    def test_given_a_ca_it_greets_by_name_and_refuses_who_shows_nothing(self):
        certificate, key = self.make_certificate("server")
        theirs = self.make_certificate("Alice")
        example = self.start("0", certificate, key, theirs[0])
        client = self.connect(example.port, trusts=certificate, certificate=theirs)
        self.assertTrue(client.read_all().startswith(b"hello Alice, "))

        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            self.connect(example.port, trusts=certificate).read_all()
        example.wait_for("no session: TLS handshake: peer did not return a certificate")

        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            self.connect(example.port, trusts=certificate, certificate=self.make_certificate("Mallory")).read_all()
        example.wait_for("no session: TLS handshake: certificate verify failed")

    def test_what_cannot_be_used_is_named_in_one_sentence(self):
        certificate, key = self.make_certificate("server")
        _, another = self.make_certificate("another")
        self.assert_refuses("0", "/nowhere/cert.pem", key, saying="not listening: certificate file '/nowhere/cert.pem'", status=100)
        self.assert_refuses("0", certificate, another, saying="does not belong to the certificate", status=100)

    def test_what_is_no_port_is_refused(self):
        for wrong in (["frog"], ["0", "certificate without a key"], ["0", "1", "2", "3", "4"]):
            with self.subTest(wrong):
                self.assert_refuses(*wrong)


main()
