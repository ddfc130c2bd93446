"""What is not used costs nothing: a client's instructions, what a server is linked with, and its size."""
import compiling
import counting
from contestants import Contestant

# Around each hook stands a look at whether signals are to be let in for it, and the compiler lays the code out in another way: an empty
# hook that clients pass by (there are two) has cost up to nine instructions, and has saved twenty.
LAYOUT = 24
NOISE = 0.5
LARGEST_HELLO = 300_000


def hooked(build, which):
    return Contestant(which, "prefork", "plain", "hello", lambda port, kids: [build.hooked, port, which], 1)


def instructions(build):
    """Of a client of a preforked kid: without hooks, with empty ones, and with all defaults spelt out."""
    return {which: counting.instructions_and_allocations(build, hooked(build, which), 100)[0] for which in ("bare", "empty", "spelt")}


def check(build):
    """Prints what was found; returns the exit status."""
    counts = instructions(build)
    symbols = compiling.openssl_symbols(build.server("prefork", "plain"))
    size = compiling.stripped_size(build.hello)
    claims = {
        f"empty hooks cost no more than a look: {counts['empty']:.0f} instructions, {counts['bare']:.0f} without": counts["empty"] <= counts["bare"] + LAYOUT,
        f"defaults spelt out change nothing: {counts['spelt']:.0f} instructions": abs(counts["spelt"] - counts["bare"]) <= NOISE,
        f"a plain server takes nothing from OpenSSL{': ' * bool(symbols)}{' '.join(symbols)}": not symbols,
        f"1_hello has {size / 1000:.0f} kB without its symbols, of {LARGEST_HELLO / 1000:.0f}": size <= LARGEST_HELLO,
    }
    for claim, holds in claims.items():
        print(("ok      " if holds else "FAILED  ") + claim)
    return int(not all(claims.values()))
