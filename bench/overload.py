#!/usr/bin/env python3
"""Two nodes send 1,000 tweets a second each, one to a full send queue, one
with a spill; their consumers take half of that for a while, and then the broker
is killed for ten minutes. Writes the memory of every process, second by second,
and what became of the messages, to bench/results/overload.json, draws it into
overload.svg, and fails when a process had more than 256 MiB, or a message was
refused without a word or lost by the spill."""
import argparse
import json
import os
import re
import signal
import sys
import tempfile
import time

from comparison.overload_plot import draw
from comparison.process import Program, Trouble, free_port
from comparison.settings import ROOKERY, ROOT, program

RATE = 1_000             # tweets a second, of each source
MEMORY_MAX = 256         # MiB, of each process
RESULTS = os.path.join(ROOT, "bench", "results")
KINDS = ("fail", "spill")


def parse():
    parser = argparse.ArgumentParser(prog="bench/overload",
                                     description=__doc__)
    add = parser.add_argument
    add("--even", type=int, default=30, help="seconds with consumers that "
        "take all, at the beginning (%(default)s)")
    add("--slow", type=int, default=900, help="seconds with consumers at half "
        "the rate (%(default)s)")
    add("--away", type=int, default=600, help="seconds without a broker "
        "(%(default)s)")
    add("--after", type=int, default=120, help="seconds after each of those, "
        "at most (%(default)s)")
    add("--quick", action="store_true", help="a few seconds of each, to see "
        "that it works; writes nothing")
    options = parser.parse_args()
    if options.quick:
        options.even, options.slow, options.away, options.after = 2, 5, 5, 30
    return options


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
    return int(found.group(1)) / 1024 if found else 0.0


class Node(Program):
    """A source or a sink: its last counters."""

    def counters(self):
        with open(f"/proc/self/fd/{self.output.fileno()}", "rb") as file:
            file.seek(max(0, os.fstat(self.output.fileno()).st_size - 4096))
            lines = file.read().decode().splitlines()
        whole = [x for x in lines if x.startswith("{") and x.endswith("}")]
        return json.loads(whole[-1]) if whole else {}

    def end(self):
        """In order; its last counters."""
        os.kill(self.child.pid, signal.SIGTERM)
        self.wait(60)
        return self.counters()


class Run:
    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.programs = {}  # by name
        self.samples = []
        self.phases = []
        self.begin = time.monotonic()
        self.handled = dict.fromkeys(KINDS, 0)  # by sinks that ended

    def start(self, name, *command, kind=Node):
        self.programs[name] = kind(*command)
        self.programs[name].__enter__()
        return self.programs[name]

    def start_broker(self):
        x = self.start("broker", ROOKERY, "node", "--roles", "broker",
                       "--listen", f"127.0.0.1:{self.port}", kind=Program)
        x.wait_port(self.port)

    def start_sinks(self, rate):
        for kind in KINDS:
            self.start(f"sink {kind}", program("overload"), "sink",
                       "127.0.0.1", self.port, f"overload.{kind}", rate)

    def replace_sinks(self, rate):
        for kind in KINDS:
            self.handled[kind] += self.programs[f"sink {kind}"].end()["handled"]
        self.start_sinks(rate)

    def start_sources(self):
        for kind in KINDS:
            file = [os.path.join(self.directory, "source.spill")]
            self.start(f"source {kind}", program("overload"), "source",
                       "127.0.0.1", self.port, f"overload.{kind}", RATE,
                       *(file if kind == "spill" else []))

    def handled_of(self, kind):
        return (self.handled[kind]
                + self.programs[f"sink {kind}"].counters().get("handled", 0))

    def sample(self):
        one = {"t": round(time.monotonic() - self.begin, 1), "memory": {}}
        for name, x in self.programs.items():
            if not x.ended():
                one["memory"][name] = round(resident(x.child.pid), 1)
            elif x.code and name != "broker":
                raise x.failure(f"ended by itself, exit code {x.code}")
        for kind in KINDS:
            counters = self.programs[f"source {kind}"].counters()
            one[kind] = {"handled": self.handled_of(kind), **{
                key: counters.get(key, 0)
                for key in ("sent", "accepted", "refused", "spilled")}}
        self.samples.append(one)
        return one

    def phase(self, name, seconds, until=None):
        print(f"{time.strftime('%H:%M:%S')} {name}", flush=True)
        self.phases.append((name, round(time.monotonic() - self.begin, 1)))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            one = self.sample()
            if until and until(one):
                return
            time.sleep(1)

    def drained(self, one):
        spill = one["spill"]
        return spill["spilled"] == 0 and spill["sent"] - spill["handled"] < 2 * RATE

    def end(self):
        """In order; what became of the messages."""
        sources = {kind: self.programs[f"source {kind}"].end()
                   for kind in KINDS}
        deadline = time.monotonic() + 30
        spill = sources["spill"]
        while (self.handled_of("spill") < spill["sent"]
               and time.monotonic() < deadline):
            time.sleep(0.2)
        self.replace_sinks(0)
        return {kind: {**sources[kind], "handled": self.handled[kind]}
                for kind in KINDS}

    def stop(self):
        for x in self.programs.values():
            if not x.ended():
                os.kill(x.child.pid, signal.SIGKILL)
                x.code = -signal.SIGKILL


def go(run, options):
    run.start_broker()
    run.start_sinks(0)
    run.start_sources()
    run.phase("even", options.even)
    run.replace_sinks(RATE // 2)
    run.phase("consumers at half the rate", options.slow)
    run.replace_sinks(0)
    run.phase("even again", options.after, run.drained)
    os.kill(run.programs["broker"].child.pid, signal.SIGKILL)
    run.phase("no broker", options.away)
    run.start_broker()
    run.phase("the broker is back", options.after, run.drained)
    return run.end()


def judge(run, ends):
    """Sentences; those that begin with FAILED are."""
    peaks = {}
    for one in run.samples:
        for name, memory in one["memory"].items():
            peaks[name] = max(peaks.get(name, 0), memory)
    for name, peak in sorted(peaks.items()):
        yield ("" if peak <= MEMORY_MAX else "FAILED: ") + \
            f"{name}: at most {peak:.0f} MiB"
    fail, spill = ends["fail"], ends["spill"]
    yield (f"source fail: {fail['sent']:,} sent, {fail['accepted']:,} accepted, "
           f"{fail['refused']:,} refused with queue_full")
    told = fail["accepted"] + fail["told_refused"] + fail["told_other"]
    if told != fail["sent"]:
        yield f"FAILED: of {fail['sent']:,} the end of {told:,} is known"
    yield (f"source spill: {spill['sent']:,} sent, {spill['refused']:,} "
           f"refused, {spill['accepted']:,} accepted by a broker, "
           f"{spill['handled']:,} handled")
    # What a broker accepted may be gone with it.
    if spill["accepted"] + spill["refused"] < spill["sent"]:
        yield "FAILED: the spill lost messages"
    if spill["refused"]:
        yield "FAILED: the spill was full, and refused some"
    # It was killed with no more than this.
    if spill["accepted"] - spill["handled"] > 2 * RATE:
        yield "FAILED: a broker lost more than it had when it was killed"


def main():
    options = parse()
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(each, lambda number, _: sys.exit(128 + number))
    # Not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        run = Run(directory)
        try:
            ends = go(run, options)
        except Trouble as trouble:
            print(f"bench/overload: FAILED: {trouble}", file=sys.stderr)
            return 1
        finally:
            run.stop()
    words = list(judge(run, ends))
    print("\n".join(words))
    if not options.quick:
        data = {"rate": RATE, "phases": run.phases,
                "samples": run.samples[::5],
                "ends": ends, "verdict": words}
        with open(os.path.join(RESULTS, "overload.json"), "w",
                  encoding="ascii") as file:
            json.dump(data, file, indent=None, separators=(",", ":"))
        with open(os.path.join(RESULTS, "overload.svg"), "w",
                  encoding="utf-8") as file:
            file.write(draw(data))
    return 1 if any(x.startswith("FAILED") for x in words) else 0


if __name__ == "__main__":
    sys.exit(main())
