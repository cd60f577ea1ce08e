"""The brokers: each is started for one run of a contestant, with its queues,
but RabbitMQ, which is started once and stays until the end."""
import contextlib
import os
import re
import subprocess

from .process import Program, Trouble, free_port, reset_peak, usage_of
from .settings import ROOKERY, ROOT, program

RABBITMQ = os.path.join(ROOT, "scripts", "rabbitmq")
# Where that writes how to reach what it started.
RABBITMQ_FACTS = os.path.join(ROOT, "build", "rabbitmq", "root.env")


class Broker:
    """One that runs: where it listens and what it uses."""

    def __init__(self, port, pid, user=None, password=None):
        self.port = port
        self.pid = pid
        self.user = [user] if user else []
        self.environment = {"ROOKERY_PASSWORD": password} if password else {}
        self.mark()

    def mark(self):
        reset_peak(self.pid)
        self.before = usage_of(self.pid)[0]

    def used(self):
        """CPU seconds and peak memory in MiB since `mark`."""
        cpu, peak = usage_of(self.pid)
        return cpu - self.before, peak

    def client(self, name, *arguments):
        return Program(program(name), *arguments, *self.user,
                       environment=self.environment)


def declare(broker, quorum):
    with broker.client("tell", "declare", "127.0.0.1", broker.port,
                       int(quorum)) as declares:
        declares.wait(30)


@contextlib.contextmanager
def embedded():
    with Program(ROOKERY, "node", "--roles", "broker", "--listen",
                 "127.0.0.1:0") as runs:
        ready = runs.wait_ready(r"event=ready.*listens=\S+:(\d+)")
        broker = Broker(int(ready.group(1)), runs.child.pid)
        declare(broker, quorum=True)
        broker.mark()
        yield broker


@contextlib.contextmanager
def proton_example():
    port = free_port()
    with Program(program("proton_broker"), f"127.0.0.1:{port}") as runs:
        runs.wait_ready()
        yield Broker(port, runs.child.pid)


class RabbitMQ:
    """The installation of scripts/rabbitmq, once started."""
    port = None
    pid = None
    started = False  # or perhaps, where starting failed

    @classmethod
    def missing(cls):
        if not os.path.exists(RABBITMQ):
            return "no scripts/rabbitmq here"
        if subprocess.run([RABBITMQ, "--check"], capture_output=True,
                          check=False).returncode:
            return "scripts/rabbitmq cannot run here"
        return None

    @classmethod
    def start(cls):
        if cls.started:
            return
        cls.started = True
        port = free_port()
        done = subprocess.run([RABBITMQ, "start", "--port", str(port)],
                              capture_output=True, text=True, check=False,
                              timeout=600)
        if done.returncode:
            raise Trouble("scripts/rabbitmq start failed: "
                          + (done.stderr or done.stdout)[-300:])
        with open(RABBITMQ_FACTS, encoding="ascii") as lines:
            facts = dict(x.strip().split("=", 1) for x in lines if "=" in x)
        cls.user, cls.password = (facts["ROOKERY_USER"],
                                  facts["ROOKERY_PASSWORD"])
        cls.port, cls.pid = port, listener_of(port)

    @classmethod
    def stop(cls):
        if cls.started:
            cls.started = False
            subprocess.run([RABBITMQ, "stop"], check=False, timeout=120,
                           stdout=subprocess.DEVNULL)


def listener_of(port):
    """The process that listens on a TCP port."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if (fields[3] == "0A"
                        and int(fields[1].rsplit(":", 1)[1], 16) == port):
                    inodes.add(fields[9])
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            for entry in os.listdir(f"/proc/{pid}/fd"):
                found = re.match(r"socket:\[(\d+)\]",
                                 os.readlink(f"/proc/{pid}/fd/{entry}"))
                if found and found.group(1) in inodes:
                    return int(pid)
    raise Trouble(f"nobody seems to listen on port {port}")


@contextlib.contextmanager
def rabbitmq(quorum):
    try:
        RabbitMQ.start()
        broker = Broker(RabbitMQ.port, RabbitMQ.pid, RabbitMQ.user,
                        RabbitMQ.password)
        declare(broker, quorum)
        broker.mark()
        yield broker
    except BaseException:
        RabbitMQ.stop()  # or the next would find what is left in its queues
        raise
