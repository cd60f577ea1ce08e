#!/usr/bin/env python3
"""Measures Rookery beside its peers and writes bench/README.md: the rows of
figures that the design sets a floor and a target for."""
import argparse
import signal
import sys
import time

from comparison import machine, report
from comparison.brokers import RabbitMQ
from comparison.fan_out_rows import fan_out_row, memory_row
from comparison.row import FAILURES
from comparison.service import Service
from comparison.service_rows import OURS, capacity_row, latency_rows
from comparison.settings import QUICK, Amounts
from comparison.tell_rows import (ask_row, broker_row, tell_rabbitmq_row,
                                  tell_row)

KEYS = ["tell", "broker", "tell-rabbitmq", "ask", "fan-out", "service",
        "latency", "memory"]


def make_rows(amounts):
    service = capacity_row(amounts)
    taken = lambda: service.median(OURS, "tweets")  # noqa: E731
    return {row.key: row for row in (
        tell_row(amounts), broker_row(amounts), tell_rabbitmq_row(amounts),
        ask_row(amounts), fan_out_row(amounts), service,
        latency_rows(amounts, taken), memory_row(amounts))}


def parse():
    parser = argparse.ArgumentParser(
        prog="bench/compare", description=__doc__,
        epilog="The exit code is 1 when a contestant failed. One that is not "
        "installed is named, and does not count as a failure.")
    add = parser.add_argument
    add("--quick", action="store_true", help="one short round of each row, to "
        "see that it works; writes nothing")
    add("--rows", default=",".join(KEYS), help="some of them, with commas: "
        "%(default)s")
    add("--rounds", type=int, default=5, help="of all contestants in turn")
    add("--minutes", type=float, default=12, help="begin no round of a row "
        "after its even share of so many; each row has one (%(default)s)")
    add("--report", action="store_true", help="measure nothing: write "
        "bench/README.md from bench/results again")
    options = parser.parse_args()
    options.rows = options.rows.split(",")
    unknown = set(options.rows) - set(KEYS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return options


def tell(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def measure(row, rounds, seconds):
    for x in row.contestants:
        if x.missing:
            tell(f"{row.key}: {x.name} NOT RUN: {x.missing}")
    end = time.monotonic() + seconds
    for i in range(min(rounds, row.rounds_max)):
        if i and time.monotonic() > end:
            tell(f"{row.key}: {i} rounds, its time is over")
            break
        row.run_round(tell)
    for x in row.judge(row):
        tell(f"{row.key}: {x.what}: {x.text}: {x.word()}")


def main():
    options = parse()
    # As SIGINT does: what was started is ended on the way out.
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(each, lambda number, _: sys.exit(128 + number))
    if options.report:
        report.write(KEYS)
        return 0
    rows = make_rows(QUICK if options.quick else Amounts())
    where, when = machine.describe(), time.strftime("%Y-%m-%d %H:%M UTC",
                                                    time.gmtime())
    failed = []
    try:
        for key in (x for x in KEYS if x in options.rows):
            row = rows[key]
            measure(row, 1 if options.quick else options.rounds,
                    options.minutes * 60 / len(options.rows))
            failed += [f"{key}: {x}" for x in row.failures]
            if not options.quick:
                report.save(report.as_data(row, where, when))
    finally:
        for end in (Service.end, RabbitMQ.stop):
            try:
                end()
            except FAILURES as trouble:
                failed.append(str(trouble))
    if not options.quick:
        report.write(KEYS)
    for x in failed:
        print(f"bench/compare: FAILED: {x}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
