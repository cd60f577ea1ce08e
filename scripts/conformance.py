#!/usr/bin/env python3
"""Runs the conformance suite (tests/conformance) against the embedded broker,
and against a RabbitMQ where one is named, and writes a table of both.

Exit code: 0 when every script saw what it expected of every broker that was
asked, 1 when not, 2 when the suite could not run.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "live"))

# A whole run. Scripts end by deadlines of their own, so many of them would have
# to wait in vain.
RUN_SECONDS = 900
TABLE_HEAD = ("| script | expected | embedded | RabbitMQ |\n"
              "|---|---|---|---|\n")


class Trouble(Exception):
    """Something a user should read, and the end of the comparison."""


class Run:
    """What one broker was seen to do."""

    def __init__(self, program, broker, *who):
        with tempfile.TemporaryDirectory() as place:
            out = pathlib.Path(place, "out.tsv")
            done = subprocess.run(
                [program, "--broker", broker, *who, "--out", out],
                capture_output=True, text=True, timeout=RUN_SECONDS,
                check=False)
            if done.returncode not in (0, 1) or not out.exists():
                raise Trouble(f"{broker}: {done.stdout}{done.stderr}")
            lines = out.read_text(encoding="utf-8").splitlines()
        self.agreed = done.returncode == 0
        self.product = re.search(r"broker=(.*)", done.stdout)[1].strip()
        self.report = done.stdout.strip()
        self.seen = {}      # by script
        self.expected = {}  # by script, in their order
        for line in lines:
            name, expected, observed = line.split("\t")
            self.expected[name] = expected
            self.seen[name] = observed


def run_embedded(program, node):
    os.environ["ROOKERY_PROGRAM_rookery_binary"] = str(node)
    # Reads where the binary is when it is imported.
    from rookery_process import Service
    with Service() as service:
        service.start("broker")
        result = Run(program, service.broker)
        service.stop()
        return result


def purposes(program):
    done = subprocess.run([program, "--list"], capture_output=True, text=True,
                          timeout=60, check=True)
    return dict(line.split("\t") for line in done.stdout.splitlines())


def cell(text):
    """As Markdown shows it: nothing in it is markup."""
    return re.sub(r"([\\|*_<>`#\[\]])", r"\\\1", text.strip()) or "(nothing)"


def verdict(run, name):
    if run is None:
        return "not asked"
    seen = run.seen.get(name, "did not run")
    return "✓" if seen == run.expected.get(name) else cell(seen)


def tables(shown, embedded, rabbitmq):
    group = None
    for name, expected in embedded.expected.items():
        if name.split("/")[0] != group:
            group = name.split("/")[0]
            yield f"\n## {group}\n\n{TABLE_HEAD}"
        yield (f"| `{name.split('/', 1)[1]}`: {cell(shown[name])} "
               f"| {cell(expected)} | {verdict(embedded, name)} "
               f"| {verdict(rabbitmq, name)} |\n")


def count(run):
    if run is None:
        return "not asked"
    agreed = sum(run.seen[name] == run.expected[name] for name in run.seen)
    return f"{agreed} of {len(run.seen)} agree"


def document(shown, embedded, rabbitmq):
    asked = rabbitmq.product if rabbitmq else "RabbitMQ"
    yield f"""# Conformance

What runs on the embedded broker should run on RabbitMQ 4. This is checked: the
scripts of `tests/conformance` talk AMQP 1.0 to a broker and tell what they see
it do. Each says beforehand what RabbitMQ 4.0.5 does, within what
[BROKER.md](BROKER.md) lists; it expects the same of both brokers. A tick means
that a broker did that; anything else is what it did instead.

| | | |
|---|---|---|
| embedded | {cell(embedded.product)} | {count(embedded)} |
| RabbitMQ | {cell(asked)} | {count(rabbitmq)} |

To make this table again, with a RabbitMQ of your own:

```
scripts/conformance --rabbitmq HOST:PORT --user USER --password PASSWORD
```

The tests `conformance.embedded` and `conformance.rabbitmq` run the same scripts,
against one broker each.
"""
    yield from tables(shown, embedded, rabbitmq)


def parse():
    parser = argparse.ArgumentParser(prog="scripts/conformance",
                                     description=__doc__)
    add = parser.add_argument
    build = ROOT / "build" / "release"
    add("--rabbitmq", metavar="HOST:PORT", help="also ask this one")
    add("--user", help="of RabbitMQ; without it SASL ANONYMOUS")
    add("--password", default="")
    add("--out", type=pathlib.Path, default=ROOT / "docs" / "CONFORMANCE.md",
        help="the table; default: docs/CONFORMANCE.md")
    add("--program", type=pathlib.Path, help=argparse.SUPPRESS,
        default=build / "tests" / "conformance" / "rookery_conformance")
    add("--node", type=pathlib.Path, help=argparse.SUPPRESS,
        default=build / "nodes" / "rookery")
    return parser.parse_args()


def main():
    options = parse()
    program = options.program.resolve()
    embedded = run_embedded(program, options.node.resolve())
    print(embedded.report, flush=True)
    rabbitmq = None
    if options.rabbitmq:
        who = []
        if options.user:
            who = ["--user", options.user, "--password", options.password]
        rabbitmq = Run(program, options.rabbitmq, *who)
        print(rabbitmq.report)
    text = "".join(document(purposes(program), embedded, rabbitmq))
    options.out.write_text(text, encoding="utf-8")
    print(f"wrote {options.out}")
    return 0 if embedded.agreed and (not rabbitmq or rabbitmq.agreed) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Trouble, subprocess.SubprocessError, OSError) as trouble:
        print(f"conformance: {trouble}", file=sys.stderr)
        sys.exit(2)
