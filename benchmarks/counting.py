"""What a client costs, counted: instructions, allocations and system calls. They repeat where seconds do not.

Each count is the difference of two runs, with N and with 3 N clients, over 2 N: start and end of the server cancel out.
"""
import os
import re
import shutil
import tempfile
from pathlib import Path

import load
from server import Server, free_port

ALLOCATIONS = {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign"}


def profile_totals(path):
    """Instructions and allocations of one file that callgrind has written."""
    instructions, allocations, names, called = 0, 0, {}, None
    for line in path.read_text().splitlines():
        if found := re.fullmatch(r"(?:summary|totals): (\d+).*", line):
            instructions = int(found[1])
        elif found := re.fullmatch(r"c?fn=\((\d+)\)(?: (.*))?", line):
            if found[2]:
                names[found[1]] = found[2].partition("'")[0]
            called = names[found[1]]
        elif (found := re.match(r"calls=(\d+)", line)) and called in ALLOCATIONS:
            allocations += int(found[1])
    return instructions, allocations


def _visit(build, contestant, port, amount):
    """So many clients one after the other; of an echo, one client with so many requests, since there a request is what is counted."""
    how = ["--count", 1, "--requests", amount] if contestant.work == "echo" else ["--count", amount]
    load.run(build, contestant, port, "--clients", 1, "--seconds", 300, *how)


def _profiled(build, contestant, amount, pool):
    """Instructions and allocations of a server's whole life: {"parent": (i, a), "kids": (i, a)}."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # a server may give its privileges up
        port = free_port()
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/%p"]
        with Server(contestant.words(port, pool), port, under=valgrind, kids=contestant.kids(pool)) as server:
            _visit(build, contestant, port, amount)
        totals = {"parent": (0, 0), "kids": (0, 0)}
        for path in Path(folder).iterdir():
            who = "parent" if path.name == str(server.pid) else "kids"
            totals[who] = tuple(map(sum, zip(totals[who], profile_totals(path))))
        return totals


def instructions_and_allocations(build, contestant, amount, pool=1):
    """User instructions and allocations of one client, or one request of an echo. Of forking servers, the parent's alone: the profile
    of a kid begins with all that its parent had done before."""
    few, many = (_profiled(build, contestant, count, pool) for count in (amount, 3 * amount))
    who = ["parent"] if contestant.model == "forking" else ["parent", "kids"]
    return tuple(round(sum(many[one][what] - few[one][what] for one in who) / (2 * amount), 2) for what in (0, 1))


def _traced(build, contestant, amount, pool):
    """How often a server and its kids made each system call in a whole life."""
    with tempfile.TemporaryDirectory() as folder:
        port, table = free_port(), Path(folder) / "table"
        strace = ["strace", "-f", "-c", "-o", str(table)]
        with Server(contestant.words(port, pool), port, under=strace, kids=contestant.kids(pool)):
            _visit(build, contestant, port, amount)
        # % time, seconds, usecs/call, calls, errors if there were any, name
        rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", table.read_text(), re.MULTILINE)
        return {name: int(calls) for calls, name in rows if name != "total"}


def system_calls(build, contestant, amount, pool=1):
    """The system calls of one client, or one request of an echo, by name; what is below two hundredths belongs to neither."""
    few, many = (_traced(build, contestant, count, pool) for count in (amount, 3 * amount))
    each = {name: (many[name] - few.get(name, 0)) / (2 * amount) for name in many}
    return {name: round(count, 2) for name, count in sorted(each.items()) if abs(count) >= 0.02}


def count(build, contestant, amount=None, pool=1):
    """All that is counted, as it is reported. One kid unless told otherwise: nothing then depends on which of them it was."""
    # A client of these is a process, or a handshake; and their counts differ by more than a few.
    amount = amount or (20 if contestant.model == "forking" or contestant.transport == "ssl" else 100)
    instructions, allocations = instructions_and_allocations(build, contestant, amount, pool)
    calls = system_calls(build, contestant, amount, pool)
    return {"instructions": instructions, "allocations": allocations, "calls": round(sum(calls.values()), 2), "by_call": calls}


def missing_tools():
    """What cannot be counted with here."""
    return [tool for tool in ("valgrind", "strace") if shutil.which(tool) is None]
