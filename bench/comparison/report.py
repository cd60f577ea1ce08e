"""Writes what was measured: raw data, tables, plot."""
import json
import os
import statistics

from .plot import draw
from .settings import ROOT

RESULTS = os.path.join(ROOT, "bench", "results")
README = os.path.join(ROOT, "bench", "README.md")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def as_data(row, machine, when):
    """A row as JSON has it: everything the report needs."""
    return {
        "key": row.key, "title": row.title, "method": row.method,
        "measured_at": when, "machine": machine,
        "columns": row.columns, "bar": row.bar, "results": row.results,
        "ours": [x.name for x in row.contestants if x.ours],
        "missing": {x.name: x.missing for x in row.contestants if x.missing},
        "failures": row.failures,
        "verdicts": [{"what": x.what, "measured": x.text, "floor": x.floor,
                      "target": x.target, "verdict": x.word(),
                      "at_most": x.less_is_better}
                     for x in row.judge(row)],
    }


def save(data, directory=RESULTS):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, data["key"] + ".json"), "w",
              encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")


def load(keys, directory=RESULTS):
    rows = []
    for key in keys:
        path = os.path.join(directory, key + ".json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                rows.append(json.load(file))
    return rows


def number(x):
    return f"{x:,.0f}" if abs(x) >= 100 or x == int(x) else f"{x:g}"


def verdict_table(rows):
    lines = ["| row | measured | floor | target | |", "|---|---|---|---|---|"]
    for row in rows:
        for x in row["verdicts"]:
            sign = "<= " if x["at_most"] else ""
            word = x["verdict"]
            lines.append(
                f"| {row['title']}: {x['what']} | {x['measured']} | "
                f"{sign}{number(x['floor'])} | {sign}{number(x['target'])} | "
                + (f"**{word}**" if word == "FLOOR MISSED" else word) + " |")
    return lines


def cell(rounds, metric, form):
    values = [x[metric] for x in rounds if metric in x]
    if not values:
        return "-"
    middle = f"{statistics.median(values):{form}}"
    if len(values) == 1 or min(values) == max(values):
        return middle
    return f"{middle} ({min(values):{form}} to {max(values):{form}})"


def row_section(row):
    lines = [f"### {row['title']}", "", row["method"], ""]
    used = [x for x in row["columns"]
            if any(x[0] in r for rounds in row["results"].values()
                   for r in rounds)]
    if used:
        lines.append("| | " + " | ".join(x[1] for x in used) + " | rounds |")
        lines.append("|---" * (len(used) + 2) + "|")
    for name, rounds in row["results"].items():
        cells = [cell(rounds, metric, form) for metric, _, form in used]
        lines.append(f"| {name} | " + " | ".join(cells)
                     + f" | {len(rounds)} |")
    lines.append("")
    for name, why in row["missing"].items():
        lines.append(f"Not run: {name} ({why}).")
    for name, why in row["failures"].items():
        lines.append(f"FAILED: {name}: {why}")
    return lines + [""]


def where_and_when(row):
    machine = row["machine"]
    return (f"{row['measured_at']} at {machine['revision']} on "
            f"{machine['cores']} x {machine['processor']}, "
            f"{machine['memory_gib']} GiB, {machine['system']}, Linux "
            f"{machine['kernel']}; " + ", ".join(machine["packages"])
            + f". Load average before it began: {machine['load_before']:.1f}.")


def measured(rows, absent):
    usual = where_and_when(rows[0])
    lines = ["Measured " + usual, ""]
    lines += verdict_table(rows) + ["", "![The rows as bars](results/plot.svg)",
                                    ""]
    if absent:
        lines += ["Rows of which there are no figures: "
                  + ", ".join(absent) + ".", ""]
    for row in rows:
        lines += row_section(row)
        if where_and_when(row) != usual:
            lines += ["These were measured in another run, "
                      + where_and_when(row), ""]
    return "\n".join(lines).rstrip() + "\n"


def write(keys):
    """The part of bench/README.md between the marks, and the plot."""
    rows = load(keys)
    if not rows:
        return
    absent = [x for x in keys if x not in {row["key"] for row in rows}]
    with open(os.path.join(RESULTS, "plot.svg"), "w",
              encoding="utf-8") as file:
        file.write(draw(rows))
    with open(README, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    with open(README, "w", encoding="utf-8") as file:
        file.write(f"{head}{BEGIN}\n\n{measured(rows, absent)}\n{END}{tail}")
