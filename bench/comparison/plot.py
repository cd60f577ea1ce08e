"""Draws the rows as bars: an SVG that needs nothing but a viewer."""
import html
import statistics

WIDTH, LABEL, BAR, STEP = 820, 250, 14, 22
OURS, THEIRS, INK, FAINT = "#b5482a", "#7a8794", "#24292f", "#57606a"


def text(x, y, words, size=12, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" '
            f'font-weight="{weight}" text-anchor="{anchor}">'
            f"{html.escape(words)}</text>")


def bars(row, top):
    """One row of the comparison; returns its shapes and where the next one
    begins."""
    metric, heading, form = next(x for x in row["columns"]
                                 if x[0] == row["bar"])
    values = {name: [r[metric] for r in rounds if metric in r]
              for name, rounds in row["results"].items()}
    values = {name: x for name, x in values.items() if x}
    shapes = [text(0, top, f"{row['title'].replace('`', '')}  ({heading})", 13,
                   weight="bold")]
    most = max((max(x) for x in values.values()), default=1) or 1
    scale = (WIDTH - LABEL - 90) / most
    y = top + 10
    for name, one in values.items():
        middle = statistics.median(one)
        end = LABEL + middle * scale
        colour = OURS if name in row["ours"] else THEIRS
        centre = y + BAR / 2
        shapes += [
            text(LABEL - 8, y + BAR - 3, name, anchor="end"),
            f'<rect x="{LABEL}" y="{y}" width="{max(middle * scale, 1):.1f}" '
            f'height="{BAR}" fill="{colour}"/>',
            f'<line x1="{LABEL + min(one) * scale:.1f}" y1="{centre}" '
            f'x2="{LABEL + max(one) * scale:.1f}" y2="{centre}" '
            f'stroke="{INK}" stroke-width="1.5"/>',
            text(max(end, LABEL + max(one) * scale) + 6, y + BAR - 3,
                 f"{middle:{form}}", 11, colour=FAINT)]
        y += STEP
    return shapes, y + 22


def draw(rows):
    shapes, top = [], 20
    for row in rows:
        if row["bar"] and row["results"]:
            more, top = bars(row, top)
            shapes += more
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{top}" viewBox="-8 0 {WIDTH} {top}" '
            'font-family="system-ui, sans-serif">\n'
            f'<rect x="-8" width="{WIDTH}" height="{top}" fill="white"/>\n'
            + "\n".join(shapes) + "\n</svg>\n")
