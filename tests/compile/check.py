#!/usr/bin/env python3
"""Compiles one program of tests/compile as it must and as it must not be.

A program says what is expected of it, one comment a line:
  // reject: <words>   must be refused, with exactly one error for each such line, and these words in it
  // reject-any:       must be refused; the words are the compiler's own
  // accept:           must compile, and has no other form
Whatever is refused is given a second time with WAITER_ACCEPT defined, and must compile then, without a warning: so it is
refused for its fault and for nothing else.

usage: check.py program compiler [flag...]
"""

import os
import re
import subprocess
import sys

ERROR = re.compile(r"^[^\s].*?: (?:fatal )?error: .*$", re.MULTILINE)
MARK = re.compile(r"^// (reject|reject-any|accept):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
CAREFUL = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def compiled(command, program):
    """The exit code and what the compiler said."""
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run(
        [*command, "-std=c++20", "-fsyntax-only", program],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True, errors="replace", check=False,
    )
    return done.returncode, done.stdout


def faults(program, command):
    """What is wrong with this program, as (sentence, compiler output)."""
    with open(program, encoding="utf-8") as source:
        marks = MARK.findall(source.read())
    kinds = {kind for kind, _ in marks}
    sentences = [words for kind, words in marks if kind == "reject"]
    if len(kinds) != 1 or not all(sentences):
        yield "it must say `reject: <words>`, `reject-any:` or `accept:`, and one of them only", ""
        return

    code, said = compiled([*command, *CAREFUL, "-DWAITER_ACCEPT"], program)
    if code != 0:
        yield "the accepted form is refused", said
    if "accept" in kinds:
        return

    code, said = compiled(command, program)
    errors = set(ERROR.findall(said))
    if code == 0:
        yield "the form to be refused compiles", said
        return
    for sentence in sentences:
        if not any(sentence in error for error in errors):
            yield f"no error says: {sentence}", said
    if sentences and len(errors) != len(sentences):
        yield f"{len(errors)} errors, expected {len(sentences)}", said


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    found = list(faults(sys.argv[1], sys.argv[2:]))
    for fault, said in found:
        print(f"{sys.argv[1]}: {fault}\n{said}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
