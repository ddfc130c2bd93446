#!/usr/bin/env python3
"""Each fault in a copy of the tree is seen, and told in a sentence that names it.

    test_check_docs.py ROOT
"""
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from check_docs import Pages

ROOT = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).parents[2]
COPIED = ["docs", "include", "examples", "tests/docs", "tests/consumer"]


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in COPIED:
            shutil.copytree(ROOT / name, self.root / name)
        for page in [*ROOT.glob("*.md"), ROOT / "LICENSE"]:
            shutil.copy(page, self.root)
        self.before = set(Pages(self.root).check())

    def change(self, page, old, new):
        path = self.root / page
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def expect(self, sentence):
        faults = [fault for fault in Pages(self.root).check() if fault not in self.before]
        self.assertTrue(any(sentence in fault for fault in faults), faults)

    def test_a_block_that_no_file_has(self):
        self.change("README.md", "hello world\\n", "hello there\\n")
        self.expect("README.md: line 5: this cpp block stands in no file that a test compiles: #include <waiter/waiter.hpp>")

    def test_a_line_left_out_of_a_block(self):
        self.change("docs/hooks.md", "  friend waiter::hook_access;\n", "")
        self.expect("this cpp block stands in no file that a test compiles: class hello")

    def test_a_file_that_is_quoted_and_that_nobody_builds(self):
        self.change("tests/docs/meson.build", "'greeter.cpp'", "")
        self.expect("docs/from_net_waiter.md: line")

    def test_an_example_that_is_quoted_and_that_nobody_builds(self):
        self.change("examples/meson.build", "'1_hello'", "'hello'")
        self.expect("README.md: line 5")

    def test_a_meson_block_that_no_consumer_has(self):
        self.change("README.md", "dependencies: dependency('waiter'))", "dependencies: dependency('waitress'))")
        self.expect("this meson block stands in no file")

    def test_a_cmake_block_that_no_consumer_has(self):
        self.change("README.md", "find_package(waiter 0.1", "find_package(waiter 0.2")
        self.expect("this cmake block stands in no file")

    def test_a_block_without_a_language(self):
        self.change("README.md", "```cpp", "```")
        self.expect("a block in '', which is none of")

    def test_a_link_to_nowhere(self):
        self.change("README.md", "(docs/signals.md)", "(docs/signal.md)")
        self.expect("README.md: links to 'docs/signal.md', which does not exist")

    def test_a_link_to_a_heading_that_is_gone(self):
        self.change("docs/fork_safety.md", "## Descriptors", "## Open files")
        self.expect("SECURITY.md: links to 'docs/fork_safety.md#descriptors', where no heading is called so")

    def test_a_hook_that_is_not_told_of(self):
        self.change("include/waiter/hook.hpp", "  on_close,\n", "  on_close,\n  on_lunch,\n")
        self.expect("README.md: no row of a table tells of the hook on_lunch")
        self.expect("docs/hooks.md: no row of a table tells of the hook on_lunch")

    def test_a_hook_that_is_none(self):
        self.change("docs/signals.md", "`on_sig_usr1`", "`on_sig_alrm`")
        self.expect("docs/signals.md: speaks of on_sig_alrm, which is no hook")

    def test_an_option_that_is_not_told_of(self):
        self.change("include/waiter/options.hpp", "  bool debug = false;", "  bool debug = false;\n  bool quiet = false;")
        self.expect("section Every server has no row for the option .quiet")

    def test_an_option_of_a_policy_that_is_not_told_of(self):
        self.change("include/waiter/fork/nofork.hpp", "  struct options {};", "  struct options {\n    int nice = 0;\n  };")
        self.expect("section `nofork` has no row for the option .fork.nice")

    def test_an_option_that_is_none(self):
        self.change("docs/options.md", "| `.debug` |", "| `.quiet` | `false` | |\n| `.debug` |")
        self.expect("section Every server tells of .quiet, which is no option")

    def test_another_default(self):
        self.change("include/waiter/options.hpp", "milliseconds grace{8000};", "milliseconds grace{9500};")
        self.expect(".grace is 9500 ms in the header, and 8 s here")

    def test_a_default_of_a_policy(self):
        self.change("include/waiter/fork/prefork.hpp", "int prefork = 8;", "int prefork = 5;")
        self.expect(".fork.prefork is 5 in the header, and 8 here")

    def test_a_method_that_is_not_told_of(self):
        self.change("include/waiter/basic_waiter.hpp", "  int run() {", "  void take_orders() {}\n  int run() {")
        self.expect("docs/hooks.md: does not tell of basic_waiter::take_orders")

    def test_a_client_s_method_that_is_not_told_of(self):
        self.change("include/waiter/client/text.hpp", "  std::iostream& stream() {", "  void sing() {}\n  std::iostream& stream() {")
        self.expect("docs/hooks.md: does not tell of text_client::sing")

    def test_what_the_host_offers_and_nobody_tells(self):
        self.change("include/waiter/server/fork_host.hpp", "  void stop() noexcept {", "  void rest() noexcept {}\n  void stop() noexcept {")
        self.expect("docs/contracts.md: does not tell of fork_host::rest")

    def test_a_folder_that_is_not_told_of(self):
        (self.root / "include/waiter/kitchen").mkdir()
        self.expect("docs/architecture.md: does not tell of the folder kitchen/")


if __name__ == "__main__":
    unittest.main()
