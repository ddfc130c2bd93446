"""What docs/performance.md shows: its tables, between markers, and its plots."""
import json
import re
from pathlib import Path

import plots
import report
import rounds
from building import SOURCE

PAGE = SOURCE / "docs/performance.md"
FOLDER = SOURCE / "docs/performance"


def markdown(heads, rows):
    """A table; columns of numbers to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    numeric = [all(row[at][:1] in set("0123456789") for row in rows) for at in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---:" if right else "---" for right in numeric], *rows])


def colour(name):
    if name == rounds.CONTROL:
        return "control"
    return "ours" if name.startswith("waiter") else "C" if name.startswith("C ") else "peer"


# ---- tables

def counts_table(results):
    return markdown(["", "instructions", "system calls", "allocations", "which calls"], [
        (name, f"{row['instructions']:,.0f}", f"{row['calls']:.1f}", f"{row['allocations']:,.0f}",
         " ".join(call if times == 1 else f"{call} {times:.1f}" for call, times in row["by_call"].items() if times >= 0.05)[:400])
        for name, row in results.items()
    ])


def summary_table(races):
    """A row a race and contestant, against the first one."""
    found = []
    for race in races.values():
        heats = race["heats"]
        cpu, speed, late = (rounds.ratios(heats, metric) for metric in ("cpu_us", "per_second", "p99"))
        first, *others = heats
        for name in others:
            label = name if name != rounds.CONTROL else f"the same again ({rounds.CONTROL})"
            resumed = f"; {100 * rounds.median(heats, name, 'resumed'):.1f} % resumed" if "resumed" in heats[name][0] else ""
            found.append((f"{race['title']}{resumed}" if name == others[0] else "", f"{label} / {first}", report.ratio(*cpu[name]),
                          f"{rounds.median(heats, name, 'cpu_us'):,.1f}", report.ratio(*speed[name]), report.ratio(*late[name])))
    return markdown(["load", "who", "CPU", "µs", "a second", "p99"], found)


def race_table(race):
    heats = race["heats"]
    cpu, speed = rounds.ratios(heats, "cpu_us"), rounds.ratios(heats, "per_second")
    middle = lambda name, metric: f"{rounds.median(heats, name, metric):,.0f}"
    return markdown(["", "CPU", "µs", "a second", "", "p50 µs", "p99", "p99.9"], [
        (name, report.ratio(*cpu[name]), f"{rounds.median(heats, name, 'cpu_us'):,.1f}", report.ratio(*speed[name]),
         *(middle(name, metric) for metric in ("per_second", "p50", "p99", "p999")))
        for name in heats
    ])


def idle_table(results):
    return markdown(["", "kB of PSS a kid", "CPU, ms a second"],
                    [(name, f"{row['pss_kb']:.0f}", f"{row['cpu_ms_per_s']:.2f}") for name, row in results.items()])


def compiling_table(results):
    found = []
    for compiler, transports in results["headers"].items():
        for times in transports.values():
            (ours, mine), (theirs, its) = times.items()
            found.append((compiler, f"`{ours}`", f"{mine:.2f} s", f"`{theirs}`", f"{its:.2f} s", f"{mine / its:.2f}"))
    return markdown(["", "ours", "", "beside", "", "ratio"], found)


def tables(results):
    """Text by the name of its marker; of what was measured."""
    found = {}
    for part in ("counts", "peer_counts"):
        if part in results:
            found[part] = counts_table(results[part])
    for part in ("own", "choices"):
        if part in results:
            found[part] = summary_table(results[part])
    found.update({name: race_table(race) for name, race in results.get("peers", {}).items()})
    if "idle" in results:
        found["idle"] = idle_table(results["idle"])
    if "compiling" in results:
        found["compiling"] = compiling_table(results["compiling"])
    return found


# ---- plots

def ratio_rows(heats, metric, label=lambda name: name):
    of = rounds.ratios(heats, metric)
    return [plots.Row(label(name), *of[name], colour(name), f"{of[name][0]:.2f}") for name in heats]


def against_c(results):
    """CPU of the library and of the control in each race, as ratio to C."""
    found = []
    for name, race in results["own"].items():
        if not name.startswith("pool"):
            of = rounds.ratios(race["heats"], "cpu_us")
            found += [plots.Row(f"{name.replace('_', ' ')}" if one != rounds.CONTROL else "", *of[one], colour(one), f"{of[one][0]:.2f}")
                      for one in race["heats"] if one.startswith("waiter") or one == rounds.CONTROL]
    return plots.rows("CPU of a client beside C of the same model", "1 is C in the same round; grey is C once more; half of the rounds lay within the line",
                      found, bars=False, reference=1)


def pools(results):
    series, sizes = {}, set()
    for clients in (8, 64):
        heats = results["own"].get(f"pool_c{clients}", {}).get("heats", {})
        for name in heats:
            if name != rounds.CONTROL:
                who, size = name.split()[0], int(re.search(r"(\d+) kids", name)[1]) if "kids" in name else 8
                sizes.add(size)
                key = f"{who}, {clients} clients"
                series.setdefault(key, (colour(name), clients == 64, {}))[2][size] = rounds.median(heats, name, "cpu_us")
    return plots.lines("CPU of a client, in µs, by the size of the pool", "medians of all rounds", series, sorted(sizes), "kids")


def latency(results):
    found = []
    for race, what in (("rate_prefork", "prefork, 2000/s"), ("rate_forking", "forking, 1000/s"), ("uneven", "uneven, 300/s")):
        heats = results["own"].get(race, {}).get("heats", {})
        for name in heats:
            if name != rounds.CONTROL:
                middle, high = (rounds.median(heats, name, metric) for metric in ("p50", "p99"))
                found.append(plots.Row(f"{what}: {name.split()[0]}", middle, middle, high, colour(name), f"{number_us(middle)}, p99 {number_us(high)}"))
    return plots.rows("From the connect to the first byte, in µs", "open loop; the dot is the median, the line goes to p99", found, bars=False, logarithmic=True)


def number_us(value):
    return f"{value:,.0f} µs"


def counted(results, what, title, note):
    """Bars of a count for the library, C and peers."""
    found = []
    for name, row in {**results.get("counts", {}), **results.get("peer_counts", {})}.items():
        if " ssl" not in name and " echo" not in name and row[what] > 0:
            found.append(plots.Row(name.removesuffix(" plain hello"), row[what], row[what], row[what], colour(name), plots.number(row[what])))
    return plots.rows(title, note, found, bars=True, logarithmic=True, least=min(row.middle for row in found) / 2)


def drawings(results):
    """SVG by file name."""
    found = {}
    if "own" in results:
        found.update({"against_c.svg": against_c(results), "pools.svg": pools(results), "latency.svg": latency(results)})
    for name, race in results.get("peers", {}).items():
        found[f"{name}.svg"] = plots.rows(f"CPU of a client: {race['title']}", "ratio to C in the same round, on a logarithmic scale; half of the rounds lay within the line",
                                          ratio_rows(race["heats"], "cpu_us"), bars=True, logarithmic=True, reference=1, least=0.3)
    if "counts" in results:
        found["system_calls.svg"] = counted(results, "calls", "System calls of a client", "of parent and kids; accept, 12 bytes, close; logarithmic")
        found["instructions.svg"] = counted(results, "instructions", "Instructions of a client outside the kernel",
                                            "where each client is a process, the parent's alone; logarithmic")
    return found


def write(results):
    """Brings the page and its plots up to date."""
    FOLDER.mkdir(exist_ok=True)
    for name, drawing in drawings(results).items():
        (FOLDER / name).write_text(drawing)
    text = PAGE.read_text()
    for name, table in tables(results).items():
        text = re.sub(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text)


def merged(target, results):
    """What a file has and was not measured again, with what was."""
    try:
        known = json.loads(Path(target).read_text())
    except FileNotFoundError:
        known = {}
    for part, found in results.items():
        known[part] = {**known.get(part, {}), **found}
    return known
