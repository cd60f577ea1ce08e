#!/usr/bin/env python3
"""Runs the tweet service in separate processes, puts load on it, and has the
oracle check every home timeline, and that what is posted then is pushed to them.
The exit code is the oracle's."""
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

from demo_faults import HELP, ROLES, Faults
from demo_process import Process, Trouble, usage_of
from demo_push import prove_push
from demo_rabbitmq import RabbitMq


class Demo:
    def __init__(self, options):
        self.code = None  # what the oracle and the load said
        self.options = options
        self.directory = tempfile.mkdtemp(
            prefix="rookery-demo-",  # not in /tmp, which may be memory
            dir=os.environ.get("TMPDIR", "/var/tmp"))
        self.store = os.path.join(self.directory, "store")
        self.journal = os.path.join(self.directory, "journal")
        self.report = os.path.join(self.directory, "report.json")
        self.status = os.path.join(self.directory, "status.json")
        self.lags = os.path.join(self.directory, "lags")
        self.processes = []
        self.broker = None
        self.child = None  # the load client

    def command(self, name, role):
        where = (["--listen", self.broker or "127.0.0.1:0"]
                 if role == "broker" else ["--brokers", self.broker])
        return [self.options.program, "node", "--roles", role,
                "--node-name", name, "--shards", str(self.options.shards),
                "--tweet-partitions", str(self.options.tweet_partitions),
                "--store", self.store,
                "--timeline-cap", str(self.options.timeline_cap), *where]

    def start(self, name, role):
        process = Process(name, role, self.command(name, role), self.directory)
        self.processes.append(process)
        return process

    def start_broker(self):
        if self.options.rabbitmq:
            self.processes.append(RabbitMq("broker", self.directory))
        else:
            self.start("broker", "broker")
        process = self.processes[-1]
        ready = process.wait_ready()
        self.broker = re.search(r"listens=(\S+)", ready).group(1)
        if self.options.rabbitmq:
            os.environ.update(process.credentials())

    def restart(self, process):
        """Kills it and starts it again, a broker on the port it had."""
        process.restart(self.command(process.name, process.role))

    def start_again(self, process):
        """The same when it has ended in order."""
        process.begin_again(self.command(process.name, process.role))

    def start_all(self):
        self.start_broker()
        for role, count in (("tweet", self.options.tweet_nodes),
                            ("follower", self.options.follower_nodes),
                            ("fanout", 2)):
            for i in range(count):
                self.start(role if count == 1 else f"{role}-{i + 1}", role)
        for process in self.processes[1:]:
            process.wait_ready()
        print(f"demo: {len(self.processes)} nodes are ready, broker at "
              f"{self.broker}, logs in {self.directory}", flush=True)

    def client(self, command, *more):
        return [self.options.program, command, "--broker", self.broker,
                "--shards", str(self.options.shards),
                "--tweet-partitions", str(self.options.tweet_partitions), *more]

    def load(self):
        """Runs the load client; returns its report, what all have used, and
        its exit code."""
        options = self.options
        command = self.client(
            "load", "--seconds", str(options.seconds), "--rate",
            str(options.rate), "--seed", str(options.seed),
            "--journal", self.journal, "--report", self.report,
            "--retry-time", str(options.patience),
            "--quiet-timeout", str(options.patience))
        if options.edges:
            command += ["--edges", options.edges]
            if options.undirected:
                command.append("--undirected")
        else:
            command += ["--users", str(options.users)]
        faults = Faults(self) if options.faults else None
        if faults:
            command += ["--status", self.status, "--lags", self.lags,
                        "--timeout", "3"]
        before = {x.name: x.usage()[0] for x in self.processes}
        child = self.child = subprocess.Popen(command)
        used = (0.0, 0.0)
        # It waits for graph, answers, quiet and homes.
        deadline = time.monotonic() + options.seconds + 4 * options.patience
        while child.poll() is None:
            try:
                # One that has just ended has no memory any more.
                used = max(used, usage_of(child.pid), key=lambda x: (x[1], x[0]))
            except OSError:
                pass  # it has just ended
            for process in self.processes:
                process.check_alive()
            if time.monotonic() > deadline:
                child.kill()
                raise Trouble("the load client did not end in time")
            if faults:
                faults.step()
            time.sleep(0.005 if faults else 0.1)
        if faults:
            faults.finish()
        if not os.path.exists(self.report) or not os.path.getsize(self.report):
            raise Trouble(f"the load client failed, exit code {child.returncode}")
        usage = []
        for process in self.processes:
            cpu, peak = process.usage()
            usage.append((process.name, cpu - before[process.name], peak))
        usage.append(("load", *used))
        with open(self.report, encoding="utf-8") as report:
            undone = bool(faults and faults.waiting)
            return json.load(report), usage, child.returncode or int(undone)

    def verify(self, journal=True):
        """Returns the oracle's exit code and what it said."""
        command = self.client("verify", "--store", self.store,
                              "--deadline", str(self.options.patience))
        if journal:
            command += ["--journal", self.journal]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              timeout=self.options.patience * 2, check=False)
        return done.returncode, done.stdout.strip().splitlines()

    def end(self, keep):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        for process in reversed(self.processes):
            process.stop()
        ended = [(x, x.wait_stopped()) for x in reversed(self.processes)]
        bad = [x for x in ended if x[1] != 0]
        if keep or bad:
            print(f"demo: logs and store are kept in {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
        return bad


def print_table(report, usage):
    latency = report["post_to_timeline_ms"]
    operations = report["operations"].values()
    print()
    print(f"  retries {sum(x['retries'] for x in operations)}, refused "
          f"{sum(x['refused'] for x in operations)}, failed "
          f"{sum(x['failed'] for x in operations)}, wrong reads "
          f"{report['bad_reads']}")
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


class Formatter(argparse.ArgumentDefaultsHelpFormatter,
                argparse.RawDescriptionHelpFormatter):
    pass


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description=__doc__, epilog=HELP,
        formatter_class=Formatter)
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
    add("--tweet-nodes", type=int, default=1, help="nodes of role tweet")
    add("--follower-nodes", type=int, default=1, help="nodes of role follower")
    add("--kill", action="append", choices=ROLES, default=argparse.SUPPRESS,
        help="kill a process of this role under load; may be repeated")
    add("--kills", type=int, default=0, help="kill so many of random roles")
    add("--stop", action="append", choices=ROLES, default=argparse.SUPPRESS,
        help="stop a process of this role in order under load; may be repeated")
    add("--hold", type=float, default=50, help="milliseconds the shards are "
        "held before each kill")
    add("--pause", action="append", choices=ROLES, default=argparse.SUPPRESS,
        help="suspend a process of this role, one that works, for a while "
        "under load; may be repeated")
    add("--pause-seconds", type=float, default=20, help="how long")
    add("--timeline-cap", type=int, default=800,
        help="entries kept in a home timeline")
    add("--rabbitmq", action="store_true",
        help="around the RabbitMQ 4 of scripts/rabbitmq, made where it is "
        "missing, in place of the embedded broker; one that runs there is "
        "stopped. Of a pause it does not say who took shards over")
    add("--patience", type=int, default=120,
        help="seconds to wait for what should end by itself")
    add("--keep", action="store_true", help="keep logs and store")
    add("--program", default="build/release/nodes/rookery",
        help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.kill = getattr(options, "kill", [])
    options.pause = getattr(options, "pause", [])
    options.stop = getattr(options, "stop", [])
    if options.rabbitmq and "broker" in options.stop:
        parser.error("--stop broker: RabbitMQ can only be killed or paused")
    options.faults = bool(options.kill or options.pause or options.kills
                          or options.stop)
    return options


def run(demo):
    demo.start_all()
    report, usage, load_code = demo.load()
    code, said = demo.verify()
    if code == 0:  # it comes after: no journal tells of what it posts
        code = prove_push(demo, said[-1])
    for line in said[:-1]:
        print(line)
    print_table(report, usage)
    verdict = said[-1] if said else "verify: said nothing"
    demo.code = code or load_code
    if demo.options.once:
        return demo.code, verdict
    print(verdict)
    how_to_talk(demo)
    while True:
        for process in demo.processes:
            process.check_alive()
        time.sleep(0.2)


def main():
    options = parse()
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(each, signal.default_int_handler)
    demo = Demo(options)
    code, verdict, failed = 1, None, True
    try:
        code, verdict = run(demo)
        failed = code != 0
    except KeyboardInterrupt:
        # The verdict counts if there is one; else nothing was proven.
        code = 130 if demo.code is None else demo.code
        failed = code != 0
        print("\ndemo: stopping")
    except (Trouble, OSError, subprocess.SubprocessError) as trouble:
        print(f"demo: {trouble}", file=sys.stderr)
    finally:
        bad = demo.end(keep=options.keep or failed)
    for process, ended in bad if code == 0 else []:
        print(f"demo: {process.name} was stopped, and its exit code is {ended}\n"
              + process.tail(), file=sys.stderr)
        code = 1
    if verdict:
        print(verdict, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
