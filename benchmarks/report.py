"""Tables for people."""
import rounds


def table(heads, rows):
    """Lines of text: words to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    numbers = [all(row[column][:1] in set("-+0123456789") for row in cells[1:]) for column in range(len(heads))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = [
        "  ".join(cell.rjust(width) if numeric else cell.ljust(width) for cell, width, numeric in zip(row, widths, numbers)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(heads) - 1)), *lines[1:]])


def counts(results):
    """What is counted, a row a server."""
    return table(("a client (of an echo: a request)", "instructions", "system calls", "allocations", ""), [
        (name, f"{row['instructions']:,.0f}", f"{row['calls']:.2f}", f"{row['allocations']:.2f}",
         " ".join(call if times == 1 else f"{call} {times:g}" for call, times in row["by_call"].items()))
        for name, row in results.items()
    ])


def ratio(middle, low, high):
    """A median, and between which values half of the rounds were."""
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def race(result):
    """A race, a row a contestant: ratios to the first one, and what it did itself in the middle."""
    heats = result["heats"]
    cpu, speed = rounds.ratios(heats, "cpu_us"), rounds.ratios(heats, "per_second")
    resumed = "resumed" in next(iter(heats.values()))[0]
    rows = []
    for name in heats:
        middle = {metric: rounds.median(heats, name, metric) for metric in heats[name][0]}
        rows.append((
            name, ratio(*cpu[name]), f"{middle['cpu_us']:,.1f}", ratio(*speed[name]), f"{middle['per_second']:,.0f}",
            *(f"{middle[percent]:,.0f}" for percent in ("p50", "p90", "p99", "p999")),
            *([f"{100 * middle['resumed']:.1f} %"] if resumed else []),
        ))
    heads = (result["title"], "CPU", "µs", "a second", "", "p50 µs", "p90", "p99", "p99.9", *(["resumed"] if resumed else []))
    return table(heads, rows)


def idle(results):
    return table(("idle", "kB of PSS a kid", "CPU, ms a second"),
                 [(name, f"{row['pss_kb']:.0f}", f"{row['cpu_ms_per_s']:.2f}") for name, row in results.items()])


def compiling(results):
    rows = []
    for compiler, transports in results["headers"].items():
        for times in transports.values():
            (ours, mine), (theirs, its) = times.items()
            rows.append((f"{compiler}: <{ours}> beside <{theirs}>", f"{mine:.2f} s", f"{its:.2f} s", f"{mine / its:.2f}"))
    text = table(("to include", "ours", "theirs", "ratio"), rows)
    return text + f"\n\n1_hello, stripped: {results['hello_bytes'] / 1000:.0f} kB"
