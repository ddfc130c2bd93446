"""Rounds: all contestants of a race run one after the other, in another order each time, and are compared within their round.

A machine drifts by a quarter within a day, and more within a minute while others use it; what two servers did in the same second can be
compared. So each round gives ratios to the first contestant, and what is reported is their median. The first contestant runs twice a
round: what the second one's ratio shows is what the measurement itself can resolve (A/A).
"""
import os
import random
import statistics
import sys
import time
from dataclasses import dataclass, field

import load
import process_tree
from server import Server, free_port

CONTROL = "A/A"
SETTLE = 0.15  # seconds of load before the time that counts


@dataclass(frozen=True)
class Race:
    """Contestants under the same load; the first one is what the others are compared with."""

    name: str
    title: str
    contestants: list
    flags: list = field(default_factory=list)  # of the load generator
    seconds: float = 1.0
    pinned: bool = False  # the server to one CPU, its clients to another: which of the scheduler's two worlds it is, is settled


def heat(build, contestant, race):
    """One run of one contestant: what it cost, and what its clients saw."""
    port = free_port()
    cpus = sorted(os.sched_getaffinity(0)) if race.pinned else []
    with Server(contestant.words(port), port, kids=contestant.kids(), cpu=cpus[:1]) as server:
        load.run(build, contestant, port, *race.flags, "--seconds", SETTLE)
        before, began = process_tree.cpu_seconds(server.pid), time.monotonic()
        numbers = load.run(build, contestant, port, *race.flags, "--seconds", race.seconds, cpu=cpus[-1:])
        took, used = time.monotonic() - began, process_tree.cpu_seconds(server.pid) - before
    units = numbers.get("requests") or numbers["answered"]
    sample = "request" if "requests" in numbers else "first_byte"
    return {
        "units": units,
        "cpu_us": 1e6 * used / units,
        "per_second": units / numbers["seconds"],
        "cores": used / took,
        **{percent: numbers[f"{sample}_{percent}_us"] for percent in ("p50", "p90", "p99", "p999")},
        **({"resumed": numbers["resumed"] / numbers["answered"]} if "--resume" in race.flags else {}),
    }


def run(build, race, rounds, note):
    """{contestant: [heat of each round]}; the control among them. Who does not serve all its clients is out of the race."""
    field_ = [*race.contestants, race.contestants[0].called(CONTROL)]
    heats = {one.name: [] for one in field_}
    for number in range(rounds):
        for one in random.sample(field_, len(field_)):
            note(f"{race.name}: round {number + 1} of {rounds}, {one.name}")
            try:
                heats[one.name].append(heat(build, one, race))
            except (load.Lost, RuntimeError, TimeoutError) as reason:
                print(f"{race.name}: {one.name} is out: {reason}", file=sys.stderr)
                field_.remove(one)
                del heats[one.name]
    return heats


def ratios(heats, metric):
    """{contestant: (median, lower quartile, upper quartile)} of the ratios to the first one."""
    base = next(iter(heats.values()))
    return {name: spread([mine[metric] / its[metric] for mine, its in zip(heat, base)]) for name, heat in heats.items()}


def spread(values):
    """Median and quartiles."""
    if len(values) < 2:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def median(heats, name, metric):
    return statistics.median(heat[metric] for heat in heats[name])
