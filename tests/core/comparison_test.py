#!/usr/bin/env python3
"""What bench/compare makes of measurements. Goal: no contestant is skipped in
silence, no missed floor looks like a met one, and what failed is what is named.
Method: rows of contestants that answer from a list; for processes, Python."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench"))

from comparison import report  # noqa: E402
from comparison.process import Program, Trouble, wait_for_all  # noqa: E402
from comparison.row import Contestant, Row  # noqa: E402


class Fake:
    """A contestant that answers from a list, and says that it was called."""

    def __init__(self, name, rates, calls, missing=None):
        self.rates = list(rates)
        self.calls = calls
        self.contestant = Contestant(name, self.run, missing)

    def run(self):
        self.calls.append(self.contestant.name)
        rate = self.rates.pop(0)
        if rate is None:
            raise Trouble("it fell over")
        return {"rate": rate}


def row_of(*fakes, floor=0.8, target=2):
    return Row("key", "Title", "Method.", [x.contestant for x in fakes],
               lambda row: [row.judge_ratio("ratio", "us", "them", "rate",
                                            floor, target)],
               [("rate", "messages/s", ".0f")], "rate")


def run(row, rounds):
    said = []
    for _ in range(rounds):
        row.run_round(said.append)
    return said


def data_of(row, when="today"):
    machine = {"revision": "r", "cores": 2, "processor": "p", "memory_gib": 1,
               "system": "s", "kernel": "k", "packages": [],
               "load_before": 0}
    return report.as_data(row, machine, when)


def text_of(row):
    return report.measured([data_of(row)], ["other"])


class ComparisonTest(unittest.TestCase):
    def test_contestants_take_turns(self):
        calls = []
        run(row_of(Fake("us", [1, 1], calls), Fake("them", [1, 1], calls)), 2)
        self.assertEqual(calls, ["us", "them", "us", "them"])

    def test_the_median_of_the_ratios_of_rounds_is_judged(self):
        # A slow round slows both: the ratio of the medians would be 0.5.
        row = row_of(Fake("us", [10, 50, 90], []),
                     Fake("them", [10, 100, 100], []))
        run(row, 3)
        verdict, = row.judge(row)
        self.assertAlmostEqual(verdict.value, 0.9)
        self.assertEqual(verdict.text, "0.90 (0.50 to 1.00)")
        self.assertEqual(verdict.word(), "floor met")

    def test_a_missed_floor_is_named(self):
        row = row_of(Fake("us", [79], []), Fake("them", [100], []))
        run(row, 1)
        self.assertIn("**FLOOR MISSED**", text_of(row))

    def test_less_is_better_turns_floor_and_target_around(self):
        row = row_of(Fake("us", [3], []), Fake("them", [1], []))
        run(row, 1)
        for floor, target, word in ((2, 1.2, "FLOOR MISSED"),
                                    (3, 1.2, "floor met"),
                                    (9, 3, "target met")):
            self.assertEqual(
                row.judge_ratio("", "us", "them", "rate", floor, target,
                                less_is_better=True).word(), word)

    def test_one_that_failed_is_named_and_not_tried_again(self):
        calls = []
        row = row_of(Fake("us", [1, 1], calls), Fake("them", [None], calls))
        said = run(row, 2)
        self.assertEqual(calls, ["us", "them", "us"])
        self.assertTrue(any("them FAILED: it fell over" in x for x in said))
        self.assertIn("FAILED: them: it fell over", text_of(row))
        self.assertIn("not measured", text_of(row))

    def test_one_that_failed_late_is_not_judged_by_what_it_did_before(self):
        calls = []
        row = row_of(Fake("us", [300, 300], calls),
                     Fake("them", [100, None], calls))
        for _ in range(2):
            row.run_round(lambda _: None)
        self.assertEqual(row.judge(row)[0].word(), "not measured")

    def test_one_that_is_not_installed_is_named(self):
        row = row_of(Fake("us", [1], []),
                     Fake("them", [], [], missing="no such package"))
        run(row, 1)
        self.assertEqual(row.failures, {})
        self.assertIn("Not run: them (no such package).", text_of(row))

    def test_a_row_without_figures_is_named(self):
        row = row_of(Fake("us", [1], []), Fake("them", [1], []))
        run(row, 1)
        self.assertIn("no figures: other", text_of(row))

    def test_a_row_of_another_run_says_so(self):
        row = row_of(Fake("us", [1], []), Fake("them", [1], []))
        run(row, 1)
        text = report.measured([data_of(row), data_of(row, "long ago")], [])
        self.assertIn("Measured today at r", text)
        self.assertIn("These were measured in another run, long ago at r", text)


def python(code):
    return Program(sys.executable, "-c", code)


class ProcessTest(unittest.TestCase):
    def test_all_are_waited_for_and_seen(self):
        with python("print('{\"count\": 1}')") as one, \
                python("import time; time.sleep(0.1)") as other:
            wait_for_all(one, other)
            self.assertEqual(one.result(), {"count": 1})
            self.assertGreater(other.peak, 1)
            with self.assertRaisesRegex(Trouble, "printed no result"):
                other.result()

    def test_one_that_fails_ends_the_waiting_for_the_others(self):
        with self.assertRaisesRegex(Trouble, "exit code 1: no"), \
                python("import time; time.sleep(60)") as waits, \
                python("import sys; sys.exit('no')") as fails:
            wait_for_all(waits, fails)
        self.assertNotEqual(waits.code, 0)

    def test_one_that_died_behind_the_scenes_is_named(self):
        with self.assertRaisesRegex(Trouble, "ended by itself.*: broken"):
            with python("import sys; sys.exit('broken')") as broker:
                os.waitid(os.P_PID, broker.child.pid,
                          os.WEXITED | os.WNOWAIT)
                raise Trouble("a client lost its connection")


if __name__ == "__main__":
    unittest.main()
