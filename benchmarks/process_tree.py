"""What a process and all below it have used, from /proc and the kernel's own clocks: needs no privilege and no cgroup."""
import os
import time
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


def children(pid):
    """The pids of a process's children, of all its threads."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, path.read_text().split())
        except OSError:
            pass  # it has ended meanwhile
    return found


def tree(pid):
    """A process and all its descendants; zombies too, which still have their times."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def cpu_seconds(pid):
    """CPU time that a process, its descendants and those of them that were reaped have used, in seconds.

    What lives is asked by its CPU clock, in nanoseconds and with threads that have ended (clock_getcpuclockid(3): a clock's number holds
    the pid). Who was reaped stands in the parent's sum, which /proc shows in ticks of 10 ms; each living process may lose one.
    """
    total = 0.0
    for one in tree(pid):
        try:
            total += time.clock_gettime((~one << 3) | 2)
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) * TICK  # cutime, cstime
        except OSError:
            pass  # it has ended: its parent's sum has it, the next time
    return total


def pss_kb(pid):
    """Proportional share of memory: what is shared with n processes counts for one n-th."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError(f"no Pss for {pid}")
