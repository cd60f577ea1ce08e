"""What is compared: rows, their contestants, and what came of them."""
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Optional

from .process import Trouble

# How a contestant may fail without ending the comparison.
FAILURES = (Trouble, OSError, ValueError, KeyError, subprocess.TimeoutExpired)


@dataclass
class Contestant:
    """One side of a row. `run` measures it once: numbers by name."""
    name: str
    run: Callable[[], dict]
    missing: Optional[str] = None  # why it cannot run
    ours: bool = False             # what the row is about, no peer


@dataclass
class Verdict:
    """A number that DESIGN.md sets a floor and a target for."""
    what: str
    value: Optional[float]   # None: not measured
    floor: float
    target: float
    text: str                # the value, as the table shows it
    less_is_better: bool = False

    def _reaches(self, bound):
        return self.value is not None and (
            self.value <= bound if self.less_is_better else self.value >= bound)

    def word(self):
        if self.value is None:
            return "not measured"
        if self._reaches(self.target):
            return "target met"
        return "floor met" if self._reaches(self.floor) else "FLOOR MISSED"


@dataclass
class Row:
    key: str
    title: str
    method: str                       # what one round does, for the report
    contestants: list
    judge: Callable                   # results -> list of Verdict
    columns: list                     # (metric, heading, format)
    bar: str = ""                     # the metric of the plot
    rounds_max: int = 99
    results: dict = field(default_factory=dict)   # name -> list of numbers
    failures: dict = field(default_factory=dict)  # name -> text

    def run_round(self, tell):
        """Every contestant once, in turn, so that what disturbs the machine
        for a while disturbs all."""
        for x in self.contestants:
            if x.missing or x.name in self.failures:
                continue
            try:
                numbers = x.run()
            except FAILURES as failed:
                why = str(failed) or type(failed).__name__
                self.failures[x.name] = why
                tell(f"{self.key}: {x.name} FAILED: {why}")
                continue
            self.results.setdefault(x.name, []).append(numbers)
            tell(f"{self.key}: {x.name}: " + "  ".join(
                f"{heading} {numbers[metric]:{form}}"
                for metric, heading, form in self.columns if metric in numbers))

    def values(self, name, metric):
        """Of all rounds; none of a contestant that failed in one of them."""
        if name in self.failures:
            return []
        return [x[metric] for x in self.results.get(name, []) if metric in x]

    def median(self, name, metric):
        values = self.values(name, metric)
        return statistics.median(values) if values else None

    def ratio(self, name, other, metric):
        """The median of the rounds' ratios, with the least and the greatest;
        None when a side is missing."""
        pairs = list(zip(self.values(name, metric), self.values(other, metric)))
        ratios = [x / y for x, y in pairs if y]
        if not ratios:
            return None
        return statistics.median(ratios), min(ratios), max(ratios)

    def judge_ratio(self, what, name, other, metric, floor, target,
                    less_is_better=False, inverse=False):
        found = self.ratio(*((other, name) if inverse else (name, other)),
                           metric)
        value = found[0] if found else None
        text = (f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})"
                if found else "-")
        return Verdict(what, value, floor, target, text, less_is_better)

    def judge_median(self, what, name, metric, floor, target,
                     less_is_better=False, form=",.0f"):
        values = self.values(name, metric)
        if not values:
            return Verdict(what, None, floor, target, "-", less_is_better)
        middle = statistics.median(values)
        text = f"{middle:{form}}"
        if len(values) > 1:
            text += f" ({min(values):{form}} to {max(values):{form}})"
        return Verdict(what, middle, floor, target, text, less_is_better)
