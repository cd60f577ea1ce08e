#!/usr/bin/env python3
"""The embedded broker, or the one that was given, passes every script of the
conformance suite, but for those in which it is known to differ: each of them
still does."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
import given_broker  # noqa: E402
from rookery_process import Service  # noqa: E402

PROGRAM = os.environ["ROOKERY_PROGRAM_rookery_conformance"]
# All scripts together. They take seconds where the broker is right; each that
# waits in vain takes 20 more.
SECONDS = 100


HERE = pathlib.Path(__file__).resolve().parent


def known_differences(name):
    """Scripts in which the broker is known to differ, and how."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines
                if line and not line.startswith("#"))


class Conformance(unittest.TestCase):
    def test_the_broker_does_as_expected_of_rabbitmq(self):
        given = given_broker.access()
        who = ["--user", given["ROOKERY_USER"],
               "--password", given["ROOKERY_PASSWORD"]] if given else []
        with tempfile.TemporaryDirectory() as place, Service() as service:
            service.start("broker")
            out = pathlib.Path(place, "out.tsv")
            done = subprocess.run(
                [PROGRAM, "--broker", service.broker, *who, "--out", out],
                capture_output=True, text=True, timeout=SECONDS, check=False)
            print(done.stdout, done.stderr)
            self.assertEqual(service.stop(), [0])
            results = [line.split("\t") for line
                       in out.read_text("utf-8").splitlines()]
        listed = subprocess.run([PROGRAM, "--list"], capture_output=True,
                                text=True, timeout=SECONDS, check=True)
        self.assertEqual(len(results), len(listed.stdout.splitlines()))
        self.assertNotRegex(done.stderr, "Sanitizer|runtime error:")
        differing = {name for name, expected, observed in results
                     if observed != expected}
        self.assertEqual(done.returncode, 1 if differing else 0)
        known = set(known_differences("known_differences_rabbitmq.txt" if given
                                      else "known_differences.txt"))
        self.assertEqual(differing - known, set(), "new differences")
        self.assertEqual(known - differing, set(), "differ no longer")


if __name__ == "__main__":
    unittest.main(verbosity=2)
