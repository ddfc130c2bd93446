#!/usr/bin/env python3
"""Feeds arrows.py one slip at a time, in a small tree that is otherwise right."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ARROWS = Path(__file__).with_name("arrows.py")


def header(path, *lines):
    guard = "WAITER_" + path.removesuffix(".hpp").replace("/", "_").upper() + "_HPP"
    return "\n".join([f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif", ""])


class Arrows(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for path, lines in {
            "error.hpp": ["#include <boost/system/error_code.hpp>"],
            "contract/handler.hpp": ["#include <waiter/error.hpp>"],
            "process/backoff.hpp": ["#include <waiter/error.hpp>", "#include <chrono>"],
            "system/fork.hpp": ["#include <waiter/error.hpp>", "#include <unistd.h>"],
            "system/reap.hpp": ["#include <waiter/system/fork.hpp>"],
            "transport/plain.hpp": ["#include <waiter/system/fork.hpp>", "#include <boost/asio/buffer.hpp>"],
            "transport/ssl.hpp": ["#include <waiter/transport/ssl_client.hpp>"],
            "transport/ssl_client.hpp": ["#include <waiter/error.hpp>", "#include <openssl/ssl.h>"],
            "fork/prefork.hpp": ["#include <waiter/process/backoff.hpp>"],
            "waiter.hpp": ["#include <waiter/fork/prefork.hpp>", "#include <waiter/transport/plain.hpp>"],
        }.items():
            self.add(path, *lines)
        (self.root / "include/meson.build").write_text("\n".join(f"'{path}'," for path in self.headers()))
        self.write("tests/unit/meson.build", "'error.cpp',")
        self.write("tests/unit/error.cpp", "")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def add(self, path, *lines):
        self.write(f"include/waiter/{path}", header(path, *lines))

    def headers(self):
        return [path.relative_to(self.root / "include").as_posix() for path in self.root.rglob("*.hpp")]

    def run_it(self):
        return subprocess.run([sys.executable, ARROWS, self.root], stdout=subprocess.PIPE, text=True, check=False)

    def expect_slip(self, sentence):
        """One slip, and this is the sentence it is told with."""
        result = self.run_it()
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertEqual(result.stdout.count("\n"), 1, result.stdout)
        self.assertIn(sentence, result.stdout)

    def test_a_tree_without_a_slip_passes(self):
        result = self.run_it()
        self.assertEqual(result.stdout, "every arrow points down\n")
        self.assertEqual(result.returncode, 0)

    def test_an_include_upwards(self):
        self.add("process/backoff.hpp", "#include <waiter/system/fork.hpp>")
        self.expect_slip("waiter/process/backoff.hpp includes upwards: <waiter/system/fork.hpp> of floor 3 from floor 2")

    def test_a_policy_that_includes_its_sibling(self):
        self.add("transport/plain.hpp", "#include <waiter/transport/ssl.hpp>")
        self.expect_slip("includes its sibling <waiter/transport/ssl.hpp>")

    def test_a_policy_that_includes_one_of_the_other_kind(self):
        self.add("fork/prefork.hpp", "#include <waiter/transport/plain.hpp>")
        self.expect_slip("includes its sibling <waiter/transport/plain.hpp>")

    def test_a_cycle_inside_one_folder(self):
        self.add("system/fork.hpp", "#include <waiter/system/reap.hpp>")
        self.expect_slip("a cycle: system/fork.hpp -> system/reap.hpp -> system/fork.hpp")

    def test_asio_among_the_decisions(self):
        self.add("process/backoff.hpp", "#include <boost/asio/buffer.hpp>")
        self.expect_slip("includes <boost/asio/buffer.hpp>, which floor 2 may not")

    def test_a_system_call_in_a_decision(self):
        self.add("process/backoff.hpp", "inline int kid() { return ::fork(); }")
        self.expect_slip("calls `::fork(`, which floor 2 may not")

    def test_a_decision_that_reads_the_clock(self):
        self.add("process/backoff.hpp", "inline auto now() { return std::chrono::steady_clock::now(); }")
        self.expect_slip("calls `_clock::now`, which floor 2 may not")

    def test_openssl_in_a_plain_header(self):
        self.add("transport/plain.hpp", "#include <openssl/ssl.h>")
        self.expect_slip("includes <openssl/ssl.h>: OpenSSL stays in ssl.hpp and transport/ssl*.hpp")

    def test_openssl_by_way_of_asio(self):
        self.add("system/fork.hpp", "#include <boost/asio/ssl/context.hpp>")
        self.expect_slip("includes <boost/asio/ssl/context.hpp>: OpenSSL stays in")

    def test_a_guard_that_is_not_named_after_the_path(self):
        self.write("include/waiter/system/reap.hpp", header("system/fork.hpp"))
        self.expect_slip("waiter/system/reap.hpp has no include guard WAITER_SYSTEM_REAP_HPP")

    def test_an_include_in_quotes(self):
        self.add("system/reap.hpp", '#include "fork.hpp"')
        self.expect_slip('includes "fork.hpp": ours are included as <waiter/…>, always')

    def test_an_include_of_nothing(self):
        self.add("system/reap.hpp", "#include <waiter/system/fork_all.hpp>")
        self.expect_slip("includes <waiter/system/fork_all.hpp>, which does not exist")

    def test_a_header_in_an_unknown_folder(self):
        self.add("detail/helper.hpp")
        (self.root / "include/meson.build").write_text("\n".join(f"'{path}'," for path in self.headers()))
        self.expect_slip("waiter/detail/helper.hpp stands on no floor")

    def test_a_header_that_is_two_headers(self):
        self.add("system/reap.hpp", *["//"] * 400)
        self.expect_slip("waiter/system/reap.hpp is longer than 400 lines")

    def test_a_header_that_is_not_installed(self):
        self.add("system/title.hpp")
        self.expect_slip("include/meson.build does not list waiter/system/title.hpp")

    def test_a_test_that_nobody_would_run(self):
        self.write("tests/unit/process/backoff.cpp", "")
        self.expect_slip("unit/meson.build does not list process/backoff.cpp")


if __name__ == "__main__":
    unittest.main()
