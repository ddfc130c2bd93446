#!/usr/bin/env python3
"""Adds up the tests of several builds from Meson's logs; a build without a log has failed."""
import collections
import json
import sys
from pathlib import Path

counts = collections.Counter()
for log in map(Path, sys.argv[1:]):
    results = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if not results:
        counts["failed"] += 1
        print(f"{log.parts[-3]}: no test ran")
    for test in results:
        kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
        counts[kind] += 1
        if kind != "passed":
            print(f"{log.parts[-3]}: {kind}: {test['name']}")

if counts["skipped"]:
    print(f"{counts['skipped']} skipped")
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] or not counts["passed"] else 0)
