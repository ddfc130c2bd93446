"""Counts of the library, held to what they were: they repeat to the digit, so a client that costs more is seen at once.

ceilings.json holds them for one compiler. A count may be a hundredth above its own, since no two machines have the same libc; what is
more than a hundredth below is named, so that the ceiling can be lowered.
"""
import json
import subprocess
from pathlib import Path

import counting
from contestants import library

FILE = Path(__file__).parent / "ceilings.json"
TOLERANCE = {"forking": 0.05}  # a parent has a turn more or less, as its kids end sooner or later
USUAL_TOLERANCE = 0.01
SKIPPED = 77  # meson's word for a test that could not be run

CASES = [("nofork", "hello"), ("prefork", "hello"), ("forking", "hello"), ("prefork", "echo")]


def compiler():
    """What the counts belong to: the compiler that makes the code, and the processor that it is for."""
    version = subprocess.run(["g++", "-dumpversion"], check=True, capture_output=True, text=True).stdout.strip()
    machine = subprocess.run(["g++", "-dumpmachine"], check=True, capture_output=True, text=True).stdout.strip()
    return f"gcc {version.partition('.')[0]} {machine}"


def verdict(count, ceiling, tolerance):
    """What a count means beside its ceiling: "", "too many" or "fewer"."""
    slack = max(tolerance * ceiling, 0.05)  # of calls, a clock that ticks once in twenty clients
    if count > ceiling + slack:
        return "too many"
    return "fewer" if count < ceiling - slack else ""


def check(build):
    """Prints a row for each count; returns the exit status."""
    allowed = json.loads(FILE.read_text())
    if allowed["compiler"] != compiler():
        print(f"the ceilings are those of {allowed['compiler']}, this is {compiler()}")
        return SKIPPED
    found = {"compiler": compiler(), "counts": {}}
    worst = 0
    for model, work in CASES:
        name = f"{model} plain {work}"
        counted = counting.count(build, library(build, model, "plain", work))
        counts = found["counts"][name] = {what: counted[what] for what in ("instructions", "calls", "allocations")}
        for what, count in counts.items():
            ceiling = allowed["counts"][name][what]
            said = verdict(count, ceiling, TOLERANCE.get(model, USUAL_TOLERANCE))
            worst |= said == "too many"
            print(f"{name:22}{what:14}{count:10,.2f}  at most {ceiling:10,.2f}  {said}")
        if counts["calls"] > allowed["counts"][name]["calls"]:
            print("  " + " ".join(f"{call} {times:g}" for call, times in counted["by_call"].items()))
    if found != allowed:
        print(f"\nto make these the ceilings, {FILE.name} is:\n{json.dumps(found, indent=1)}")
    return worst
