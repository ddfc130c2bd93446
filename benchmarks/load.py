"""Running the load generator (tests/load) and reading what it says."""
import os
import subprocess

OUTCOMES = ["answered", "refused", "reset_after_connect", "closed_without_answer", "connect_timeout", "answer_timeout", "own_error"]

# What the clients of each work say and wait for.
WORKS = {
    "hello": [],
    "echo": ["--say-bytes", "64", "--requests", "200"],
    "get": [],
    "put": ["--say-bytes", str(16 << 20), "--half-close", "--congestion", "cubic"],
    "uneven": ["--say", "quick\n", "--slow-every", "10", "--slow-say", "slow\n"],
}


class Lost(RuntimeError):
    """Somebody was not served."""


def run(build, contestant, port, *flags, cpu=()):
    """All numbers of one run, by name. Raises `Lost` if a client was not served. `cpu`: where it has to run."""
    tls = ["--tls"] if contestant.transport == "ssl" else []
    command = [build.load, "127.0.0.1", port, "--reset", *tls, *WORKS[contestant.work], *flags]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=False,
                          preexec_fn=(lambda: os.sched_setaffinity(0, cpu)) if cpu else None)
    numbers = {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    if done.returncode != 0:
        became = {name: int(numbers[name]) for name in OUTCOMES if numbers.get(name)}
        raise Lost(f"{' '.join(map(str, command))}: {became or 'it failed'}")
    return numbers
