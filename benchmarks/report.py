"""Tables for people."""


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
    rows = [
        (name, f"{row['instructions']:,.0f}", f"{row['calls']:.2f}", f"{row['allocations']:.2f}",
         " ".join(call if times == 1 else f"{call} {times:g}" for call, times in row["by_call"].items()))
        for name, row in results.items()
    ]
    return table(("a client (of an echo: a request)", "instructions", "system calls", "allocations", ""), rows)
