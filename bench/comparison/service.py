"""The service in its roles, one process each, with the embedded broker."""
import contextlib
import json
import os
import shutil
import tempfile

from .process import Program, Trouble, reset_peak
from .settings import BUILD, ROOKERY, SEED, program

ROLES = ("tweet", "follower", "fanout")


class Service:
    """Started when first needed, and kept for all rows about it, because its
    graph takes longer to read in than a round takes."""
    running = None

    @classmethod
    def get(cls, amounts):
        if not cls.running:
            cls.running = cls(amounts)
        return cls.running

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:  # the next would find what is left of a load
            self.end()

    @classmethod
    def end(cls):
        if cls.running:
            ending, cls.running = cls.running, None
            ending.stack.close()

    def __init__(self, amounts):
        self.amounts = amounts
        self.celebrity_is_ready = False
        self.stack = contextlib.ExitStack()
        try:
            # Not in /tmp, which may be memory.
            self.directory = tempfile.mkdtemp(dir=os.path.join(BUILD, "bench"),
                                              prefix="service-")
            self.stack.callback(shutil.rmtree, self.directory, True)
            self.start()
        except BaseException:
            self.stack.close()
            raise

    def start(self):
        broker = self.node("broker", "--listen", "127.0.0.1:0")
        self.port = int(broker.wait_ready(
            r"event=ready.*listens=\S+:(\d+)").group(1))
        self.nodes = {"broker": broker}
        for role in ROLES:
            self.nodes[role] = self.node(role, "--brokers",
                                         f"127.0.0.1:{self.port}")
        for role in ROLES:
            self.nodes[role].wait_ready("event=ready")
        self.edges = os.path.join(self.directory, "edges")
        with Program(program("graph"), self.amounts.service_users, 75, SEED,
                     self.edges) as writes:
            writes.wait()

    def node(self, role, *where):
        return self.stack.enter_context(Program(
            ROOKERY, "node", "--roles", role, "--node-name", role, "--store",
            os.path.join(self.directory, "store"), *where))

    def load(self, rate, seconds):
        """Offers tweets only, at this rate; returns the command and the file
        of its report."""
        report = os.path.join(self.directory, "report.json")
        with contextlib.suppress(FileNotFoundError):
            os.remove(report)
        return Program(
            ROOKERY, "load", "--broker", f"127.0.0.1:{self.port}",
            "--edges", self.edges, "--rate", f"{rate:.1f}",
            "--seconds", seconds, "--posts", 100, "--follow-changes", 0,
            "--deletes", 0, "--seed", SEED, "--report", report), report

    def measure_load(self, rate, seconds):
        """One load, and what all processes used for it, the import of a known
        graph and the reads of all homes included."""
        for x in self.nodes.values():
            reset_peak(x.child.pid)
        before = {x: y.usage()[0] for x, y in self.nodes.items()}
        runs, report = self.load(rate, seconds)
        with runs:
            runs.wait(seconds + 240)
        used = {x: y.usage()[0] - before[x] for x, y in self.nodes.items()}
        peak = sum(x.usage()[1] for x in self.nodes.values()) + runs.peak
        with open(report, encoding="utf-8") as file:
            result = json.load(file)
        if result["bad_reads"] or result["errors"]:
            raise Trouble(f"the load saw errors: {result['errors']}")
        return result, {**used, "load": runs.cpu}, peak

    def prepare_celebrity(self):
        """Gives it its followers, once, and makes their timelines complete."""
        if self.celebrity_is_ready:
            return
        with Program(program("celebrity"), "prepare", self.port,
                     self.amounts.celebrity_followers) as prepares:
            prepares.wait(240)
        self.celebrity_is_ready = True

    def celebrity(self, tweets, per_second):
        """Starts it; its last line is its result."""
        self.prepare_celebrity()
        return Program(program("celebrity"), "post", self.port, tweets,
                       per_second)
