#!/usr/bin/env python3
"""Adds up the tests of several builds from Meson's logs, BUILD/meson-logs/*.json. A file BUILD.failed says that there was no test."""
import collections
import json
import sys
from pathlib import Path

counts = collections.Counter()
for build in map(Path, sys.argv[1:]):
    if build.with_name(build.name + ".failed").exists():
        counts["failed"] += 1
        print(f"{build.name}: it did not build, or Meson failed")
    for log in sorted(build.glob("meson-logs/*.json")):
        for test in map(json.loads, log.read_text().splitlines()):
            kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
            counts[kind] += 1
            if kind != "passed":
                print(f"{build.name}: {kind}: {test['name']}")

if counts["skipped"]:
    print(f"{counts['skipped']} skipped")
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] or not counts["passed"] else 0)
