#!/usr/bin/env python3
"""Adds up the tests of several builds from Meson's logs, BUILD/meson-logs/testlog.json; a log that is missing is a failure."""
import collections
import json
import sys
from pathlib import Path

counts = collections.Counter()
for log in map(Path, sys.argv[1:]):
    if not log.exists():
        counts["failed"] += 1
        print(f"{log.parts[-3]}: no test ran")
        continue
    for test in map(json.loads, log.read_text().splitlines()):
        kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
        counts[kind] += 1
        if kind != "passed":
            print(f"{log.parts[-3]}: {kind}: {test['name']}")

if counts["skipped"]:
    print(f"{counts['skipped']} skipped")
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] or not counts["passed"] else 0)
