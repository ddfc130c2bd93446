"""Plots as SVG, by hand: rows of bars or dots with the spread of what they show, and lines over a size."""
import math
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 250, 70, 58, 24
COLOURS = {"ours": "#1f6feb", "C": "#57606a", "control": "#afb8c1", "peer": "#bf8700"}
STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}.small{font-size:11px;fill:#57606a}.title{font-size:15px;font-weight:600}
.grid{stroke:#d0d7de}.reference{stroke:#cf222e;stroke-dasharray:4 3}.spread{stroke:#24292f;stroke-width:1.5;fill:none}"""


@dataclass(frozen=True)
class Row:
    """One thing that was measured: its median, and between what half of the rounds lay."""

    label: str
    middle: float
    low: float
    high: float
    colour: str
    shown: str = ""  # beside it; the number unless told otherwise


class Scale:
    """From a number to a place between two edges."""

    def __init__(self, least, most, start, end, logarithmic):
        self.logarithmic = logarithmic
        self.least, self.most, self.start, self.end = self._of(least), self._of(most), start, end

    def _of(self, value):
        return math.log10(value) if self.logarithmic else value

    def __call__(self, value):
        share = (self._of(value) - self.least) / (self.most - self.least)
        return self.start + (self.end - self.start) * min(max(share, 0), 1)

    def ticks(self):
        if not self.logarithmic:
            step = next(step for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if (self.most - self.least) / step <= 8)
            return [step * n for n in range(math.ceil(self.least / step - 1e-9), math.floor(self.most / step + 1e-9) + 1)]
        powers = range(math.floor(self.least), math.ceil(self.most) + 1)
        ticks = [10.0**power * digit for power in powers for digit in ((1, 3) if self.most - self.least < 3 else (1,))]
        return [tick for tick in ticks if self.least - 1e-9 <= math.log10(tick) <= self.most + 1e-9]


def number(value):
    """As short as it can be said."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def document(title, note, height, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="12" y="22">{escape(title)}</text><text class="small" x="12" y="40">{escape(note)}</text>',
        *body, "</svg>", "",
    ])


def rows(title, note, found, *, bars, logarithmic=False, reference=None, least=None):
    """A row for each: a bar that begins at the left edge, or a dot; with its spread. `reference` draws a line to compare with."""
    ends = [end for row in found for end in (row.low, row.high)] + ([reference] if reference else [])
    least = least if least is not None else (min(ends) * 0.8 if logarithmic or not bars else 0)
    scale = Scale(least, max(ends) * (1.3 if logarithmic else 1.03), LEFT, WIDTH - RIGHT, logarithmic)
    bottom = TOP + ROW * len(found)
    body = []
    for tick in scale.ticks():
        x = scale(tick)
        body.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>'
                    f'<text class="small" x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{number(tick)}</text>')
    if reference:
        x = scale(reference)
        body.append(f'<line class="reference" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>')
    for place, row in enumerate(found):
        y, x, colour = TOP + ROW * place + ROW / 2, scale(row.middle), COLOURS[row.colour]
        body.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(row.label)}</text>')
        if bars:
            body.append(f'<rect x="{LEFT}" y="{y - 8:.1f}" width="{max(x - LEFT, 1):.1f}" height="16" fill="{colour}" opacity="0.85"/>')
        else:
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        if row.high > row.low:
            body.append(f'<path class="spread" d="M{scale(row.low):.1f} {y:.1f}H{scale(row.high):.1f}"/>')
        body.append(f'<text class="small" x="{max(x, scale(row.high)) + 8:.1f}" y="{y + 4:.1f}">{escape(row.shown or number(row.middle))}</text>')
    return document(title, note, bottom + 26, body)


def lines(title, note, series, sizes, unit):
    """{name: (colour, dashed, {size: value})} over sizes that double and more."""
    height, right = 300, 190
    top = max(value for _, _, points in series.values() for value in points.values())
    along, up = Scale(min(sizes), max(sizes), 60, WIDTH - right, True), Scale(0, top * 1.1, height - 40, TOP, False)
    body = [f'<line class="grid" x1="60" x2="{WIDTH - right}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
            f'<text class="small" x="52" y="{up(tick) + 4:.1f}" text-anchor="end">{number(tick)}</text>' for tick in up.ticks()]
    body += [f'<text class="small" x="{along(size):.1f}" y="{height - 22}" text-anchor="middle">{size}</text>' for size in sizes]
    body.append(f'<text class="small" x="{(60 + WIDTH - right) / 2:.0f}" y="{height - 6}" text-anchor="middle">{escape(unit)}</text>')
    floor = 0.0
    for name, (colour, dashed, points) in sorted(series.items(), key=lambda one: up(one[1][2][max(one[1][2])])):
        path = "L".join(f"{along(size):.1f} {up(value):.1f}" for size, value in sorted(points.items()))
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        end = max(points)
        floor = max(floor + 15, up(points[end]) + 4)  # names do not lie on each other
        body.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[colour]}" stroke-width="2.5"{dash}/>')
        body += [f'<circle cx="{along(size):.1f}" cy="{up(value):.1f}" r="4" fill="{COLOURS[colour]}"/>' for size, value in points.items()]
        body.append(f'<text x="{along(end) + 10:.1f}" y="{floor:.1f}">{escape(name)}</text>')
    return document(title, note, height, body)
