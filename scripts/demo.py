#!/usr/bin/env python3
"""Runs the tweet service in separate processes, puts load on it, and has the
oracle check every home timeline. The exit code is the oracle's."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

READY_SECONDS = 40
STOP_SECONDS = 15
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Trouble(Exception):
    """Something a user should read, and the end of the demo."""


class Process:
    """One process of the demo: its log, and what it has used."""

    def __init__(self, name, command, directory):
        self.name = name
        self.log = os.path.join(directory, name + ".log")
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log)

    def wait_ready(self):
        """Waits for the line event=ready and returns it."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                for line in log:
                    if "event=ready" in line:
                        return line
            self.check_alive()
            time.sleep(0.05)
        raise Trouble(f"{self.name} was not ready within {READY_SECONDS} s\n"
                      + self.tail())

    def check_alive(self):
        if self.child.poll() is not None:
            raise Trouble(f"{self.name} ended early, exit code "
                          f"{self.child.returncode}\n" + self.tail())

    def tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(f"  {self.name}: {x}" for x in log.readlines()[-lines:])

    def usage(self):
        """CPU seconds and peak memory in MiB, so far."""
        return usage_of(self.child.pid)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)

    def wait_stopped(self):
        try:
            self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def usage_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    return cpu, int(peak.group(1)) / 1024 if peak else 0.0


class Demo:
    def __init__(self, options):
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="rookery-demo-")
        self.store = os.path.join(self.directory, "store")
        self.journal = os.path.join(self.directory, "journal")
        self.report = os.path.join(self.directory, "report.json")
        self.processes = []
        self.broker = None

    def start(self, name, roles, *more):
        command = [self.options.program, "node", "--roles", roles,
                   "--node-name", name, "--shards", str(self.options.shards),
                   "--tweet-partitions", str(self.options.tweet_partitions),
                   "--store", self.store,
                   "--timeline-cap", str(self.options.timeline_cap), *more]
        if self.broker:
            command += ["--brokers", self.broker]
        process = Process(name, command, self.directory)
        self.processes.append(process)
        return process

    def start_all(self):
        ready = self.start("broker", "broker",
                           "--listen", "127.0.0.1:0").wait_ready()
        self.broker = re.search(r"listens=(\S+)", ready).group(1)
        for name, roles in (("tweet", "tweet"), ("follower", "follower"),
                            ("fanout-1", "fanout"), ("fanout-2", "fanout")):
            self.start(name, roles)
        for process in self.processes[1:]:
            process.wait_ready()
        print(f"demo: {len(self.processes)} nodes are ready, broker at "
              f"{self.broker}, logs in {self.directory}", flush=True)

    def client(self, command, *more):
        return [self.options.program, command, "--broker", self.broker,
                "--shards", str(self.options.shards),
                "--tweet-partitions", str(self.options.tweet_partitions), *more]

    def load(self):
        """Runs the load client; returns its report and what all have used."""
        options = self.options
        command = self.client(
            "load", "--seconds", str(options.seconds), "--rate",
            str(options.rate), "--seed", str(options.seed),
            "--journal", self.journal, "--report", self.report)
        if options.edges:
            command += ["--edges", options.edges]
            if options.undirected:
                command.append("--undirected")
        else:
            command += ["--users", str(options.users)]
        before = {x.name: x.usage()[0] for x in self.processes}
        child = subprocess.Popen(command)
        used = (0.0, 0.0)
        deadline = time.monotonic() + options.seconds + options.patience
        while child.poll() is None:
            try:
                used = usage_of(child.pid)
            except OSError:
                pass  # it has just ended
            for process in self.processes:
                process.check_alive()
            if time.monotonic() > deadline:
                child.kill()
                raise Trouble("the load client did not end in time")
            time.sleep(0.1)
        if child.returncode != 0:
            raise Trouble(f"the load client failed, exit code {child.returncode}")
        usage = []
        for process in self.processes:
            cpu, peak = process.usage()
            usage.append((process.name, cpu - before[process.name], peak))
        usage.append(("load", *used))
        with open(self.report, encoding="utf-8") as report:
            return json.load(report), usage

    def verify(self):
        """Returns the oracle's exit code and what it said."""
        command = self.client("verify", "--store", self.store,
                              "--journal", self.journal,
                              "--deadline", str(self.options.patience))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              timeout=self.options.patience * 2, check=False)
        return done.returncode, done.stdout.strip().splitlines()

    def end(self, keep):
        for process in reversed(self.processes):
            process.stop()
        for process in reversed(self.processes):
            process.wait_stopped()
        if keep:
            print(f"demo: logs and store are kept in {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


def print_table(report, usage):
    latency = report["post_to_timeline_ms"]
    print()
    print(f"  tweets          {report['tweets_per_second']:12,.0f} /s")
    print(f"  deliveries      {report['deliveries_per_second']:12,.0f} /s")
    print(f"  post to timeline  p50 {latency['p50']:8.1f} ms   "
          f"p99 {latency['p99']:8.1f} ms")
    print()
    millions = max(report["deliveries"], 1) / 1e6
    print("  process      CPU s   CPU s per million deliveries   peak MiB")
    for name, cpu, peak in usage:
        print(f"  {name:10} {cpu:7.2f}   {cpu / millions:28.2f}   {peak:8.1f}")
    print(flush=True)


def how_to_talk(demo):
    program, broker = demo.options.program, demo.broker
    layout = (f"--shards {demo.options.shards} "
              f"--tweet-partitions {demo.options.tweet_partitions}")
    print("demo: running until Ctrl-C. Talk to it:")
    for command in ("post 1 'Hello'", "follow 2 1", "timeline 2"):
        print(f"  {program} {command} --broker {broker} {layout}")
    sys.stdout.flush()


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--once", action="store_true", help="end after the load")
    add("--seconds", type=int, default=20, help="how long the load lasts")
    add("--rate", type=int, default=2000, help="operations per second offered")
    add("--edges", help="file of `follower followee` lines; without it a graph "
        "is generated")
    add("--undirected", action="store_true", help="take each line both ways")
    add("--users", type=int, default=10000, help="users of a generated graph")
    add("--seed", type=int, default=1, help="makes the load repeatable")
    add("--shards", type=int, default=8, help="shards of readers")
    add("--tweet-partitions", type=int, default=2, help="writers of tweets")
    add("--timeline-cap", type=int, default=800,
        help="entries kept in a home timeline")
    add("--patience", type=int, default=120,
        help="seconds to wait for what should end by itself")
    add("--keep", action="store_true", help="keep logs and store")
    add("--program", default="build/release/nodes/rookery",
        help=argparse.SUPPRESS)
    return parser.parse_args()


def run(demo):
    demo.start_all()
    report, usage = demo.load()
    code, said = demo.verify()
    for line in said[:-1]:
        print(line)
    print_table(report, usage)
    verdict = said[-1] if said else "verify: said nothing"
    if demo.options.once:
        return code, verdict
    print(verdict)
    how_to_talk(demo)
    while True:
        for process in demo.processes:
            process.check_alive()
        time.sleep(0.2)


def main():
    options = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    demo = Demo(options)
    code, verdict, failed = 1, None, True
    try:
        code, verdict = run(demo)
        failed = code != 0
    except KeyboardInterrupt:
        code, failed = 0, False
        print("\ndemo: stopping")
    except (Trouble, OSError, subprocess.SubprocessError) as trouble:
        print(f"demo: {trouble}", file=sys.stderr)
    finally:
        demo.end(keep=options.keep or failed)
    if verdict:
        print(verdict, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
