"""What a server costs while nobody comes: memory of a kid, and CPU."""
import statistics
import time

import process_tree
from contestants import library, reference
from server import Server, free_port


def measure(build, contestant, seconds):
    """Proportional memory of a kid in kB (median), and thousandths of a second of CPU used in a second by all."""
    port = free_port()
    with Server(contestant.words(port), port, kids=contestant.kids()) as server:
        time.sleep(0.5)  # what it does first is not idleness
        before, began = process_tree.cpu_seconds(server.pid), time.monotonic()
        time.sleep(seconds)
        used = (process_tree.cpu_seconds(server.pid) - before) / (time.monotonic() - began)
        kids = process_tree.tree(server.pid)[1:] or [server.pid]
        return {"pss_kb": statistics.median(map(process_tree.pss_kb, kids)), "cpu_ms_per_s": 1000 * used}


def contestants(build, tls):
    for transport in ["plain"] + (["ssl"] if tls else []):
        for pool in (8, 128):
            for make in (reference, library):
                one = make(build, "prefork", transport, "hello", pool=pool)
                yield one.called(f"{one.name} {transport}, {pool} kids")
