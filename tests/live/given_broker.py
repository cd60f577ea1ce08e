"""Tests that start the embedded broker can be given another one instead: the
environment names a file that says how to reach it, as scripts/rabbitmq writes."""
import os
import pathlib
import subprocess

# The one that has Debian's packages, such as Qpid Proton.
PYTHON = "/usr/bin/python3"
FOREIGN = pathlib.Path(__file__).parent / "foreign"
SECONDS = 60


def access():
    """How to reach the given broker, in the variables that rookery reads; none
    where no broker was given."""
    file = os.environ.get("ROOKERY_GIVEN_BROKER")
    if not file:
        return {}
    lines = pathlib.Path(file).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def forget_service():
    """Makes the given broker as one that has just started is: without the
    service's queues."""
    subprocess.run([PYTHON, FOREIGN / "forget_service.py"], check=True,
                   timeout=SECONDS, env={**os.environ, **access()})


def roles_beside(roles):
    """What is left of a node's roles when the broker is another process."""
    if roles == "all":
        return "tweet,follower,fanout"
    return ",".join(x for x in roles.split(",") if x != "broker")


class GivenBroker:
    """In the place of a node with nothing but the broker; not ours to stop."""

    def stop(self):
        return 0

    def discard(self):
        return True

    def text(self):
        return ""
