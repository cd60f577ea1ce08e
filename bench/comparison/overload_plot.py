"""Draws an overload run over time: memory of each process, and what became of
the messages of both sources."""
from .plot import FAINT, INK, text

WIDTH, LEFT, RIGHT, HEIGHT, GAP = 860, 60, 170, 190, 70
COLOURS = ("#b5482a", "#2a6fb5", "#3d8f4e", "#8a5fb0", "#c08a1e")


class Panel:
    """One diagram over the run's time."""

    def __init__(self, top, title, unit, most, end):
        self.top, self.title, self.unit = top, title, unit
        self.most, self.end = most or 1, end or 1

    def x(self, seconds):
        return LEFT + seconds / self.end * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return self.top + HEIGHT * (1 - value / self.most)

    def frame(self, phases):
        yield text(LEFT, self.top - 26, self.title, 13, weight="bold")
        for i, (name, begin) in enumerate(phases):
            end = phases[i + 1][1] if i + 1 < len(phases) else self.end
            if i % 2:
                yield (f'<rect x="{self.x(begin):.1f}" y="{self.top}" '
                       f'width="{self.x(end) - self.x(begin):.1f}" '
                       f'height="{HEIGHT}" fill="#f1f3f5"/>')
            if end - begin > self.end / 8:
                yield text((self.x(begin) + self.x(end)) / 2, self.top - 8,
                           name, 11, "middle", FAINT)
        for part in (0, 0.5, 1):
            y = self.y(part * self.most)
            yield (f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" '
                   f'y2="{y:.1f}" stroke="#d0d7de"/>')
            yield text(LEFT - 6, y + 4, f"{part * self.most:,.0f}", 11, "end",
                       FAINT)
        yield text(LEFT - 6, self.top - 8, self.unit, 11, "end", FAINT)
        for minute in range(0, int(self.end / 60) + 1, 2):
            yield text(self.x(minute * 60), self.top + HEIGHT + 16,
                       f"{minute} min", 11, "middle", FAINT)

    def lines(self, series):
        """`series`: name -> [(seconds, value)]; names from the top down as
        the lines end."""
        ends = sorted(series, key=lambda name: -series[name][-1][1])
        low = self.top
        for name in ends:
            colour = COLOURS[list(series).index(name) % len(COLOURS)]
            for part in without_gaps(series[name]):
                points = " ".join(
                    f"{self.x(t):.1f},{self.y(min(v, self.most)):.1f}"
                    for t, v in part)
                yield (f'<polyline points="{points}" fill="none" '
                       f'stroke="{colour}" stroke-width="1.6"/>')
            low = max(self.y(min(series[name][-1][1], self.most)) + 4,
                      low + 14)
            yield text(WIDTH - RIGHT + 8, low, name, 11, colour=colour)


def without_gaps(points, gap=20):
    """In parts, where there was nothing for so many seconds."""
    part = []
    for point in points:
        if part and point[0] - part[-1][0] > gap:
            yield part
            part = []
        part.append(point)
    yield part


def rates(samples, kind, key, span=1):
    """Per second, between samples that are `span` apart."""
    return [(b["t"], max(0, b[kind][key] - a[kind][key]) / (b["t"] - a["t"]))
            for a, b in zip(samples, samples[span:]) if b["t"] > a["t"]]


def memory(samples):
    result = {}
    for one in samples:
        for name, value in one["memory"].items():
            result.setdefault(name, []).append((one["t"], value))
    return result


def draw(data):
    samples, phases = data["samples"], data["phases"]
    end = samples[-1]["t"]
    rows = [("Resident memory of each process (its limit: the top)", "MiB",
             memory(samples), 256)]
    for kind, about in (("fail", "The node without a spill"),
                        ("spill", "The node with a spill")):
        rows.append((f"{about}: messages a second (more: at the top)", "1/s",
                     {key: rates(samples, kind, key)
                      for key in ("sent", "handled", "refused")},
                     2 * data["rate"]))
    rows.append(("Messages in the spill", "",
                 {"spilled": [(x["t"], x["spill"]["spilled"])
                              for x in samples]}, None))
    shapes, top = [], 50
    for title, unit, series, most in rows:
        most = most or max(v for x in series.values() for _, v in x)
        panel = Panel(top, title, unit, most, end)
        shapes += [*panel.frame(phases), *panel.lines(series)]
        top += HEIGHT + GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{top}" viewBox="0 0 {WIDTH} {top}" '
            f'font-family="system-ui, sans-serif" fill="{INK}">\n'
            f'<rect width="{WIDTH}" height="{top}" fill="white"/>\n'
            + "\n".join(shapes) + "\n</svg>\n")
