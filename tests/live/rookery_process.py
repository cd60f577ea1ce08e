"""Runs the rookery binary in tests: nodes that live, commands that end.

Nothing here sleeps: a reader thread wakes whoever waits for a line.
"""
import os
import re
import signal
import subprocess
import threading
import time

import given_broker

PROGRAM = os.environ.get("ROOKERY_PROGRAM_rookery_binary")
SECONDS = 40  # for anything that should happen, on a busy machine


class Node:
    """A process that runs until it is told to stop."""

    def __init__(self, *arguments, env=None, command="node", program=None):
        begin = [program] if program else [PROGRAM, command]
        self.child = subprocess.Popen(
            [*begin, *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**os.environ, **(env or {})})
        self.lines = []
        self.changed = threading.Condition()
        self.over = False
        self.ended = False  # and somebody has its exit code
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def wait_for(self, pattern, seconds=SECONDS):
        """Waits for a line and returns the match."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self.over or left <= 0:
                    raise AssertionError(f"no line with {pattern!r} in\n"
                                         + self.text())
                self.changed.wait(left)

    def wait_ready(self):
        """Waits until the node is attached; returns where it listens."""
        return self.wait_for(r"event=ready .*listens=(\S+)").group(1)

    def text(self):
        return "\n".join(self.lines)

    def terminate(self):
        self.child.send_signal(signal.SIGTERM)

    def end(self, seconds=SECONDS):
        """Waits for the end; returns the exit code."""
        code = self.child.wait(seconds)
        self.reader.join(seconds)
        self.child.stdout.close()
        self.ended = True
        return code

    def stop(self):
        """Asks it to stop; returns the exit code."""
        if self.child.poll() is None:
            self.terminate()
        return self.end()

    def kill(self):
        self.child.kill()
        self.end()

    def discard(self):
        """Kills it unless it was ended; whether it ran until then."""
        if self.ended:
            return True
        ran = self.child.poll() is None
        self.kill()
        return ran


class Service:
    """Nodes around one broker, and commands that talk to them."""

    def __init__(self, *settings, env=None):
        self.settings = settings  # of every node
        self.given = given_broker.access()  # empty: the first node has it
        self.env = {**(env or {}), **self.given}
        self.nodes = []
        self.broker = self.given.get("ROOKERY_BROKERS")

    def start(self, roles, *arguments):
        """Starts a node; the first must have a broker, unless one was given."""
        if self.given:
            if not self.nodes:
                given_broker.forget_service()
            roles = given_broker.roles_beside(roles)
        if not roles:
            node = given_broker.GivenBroker()
            self.nodes.append(node)
            return node
        where = (["--brokers", self.broker] if self.broker
                 else ["--listen", "127.0.0.1:0"])
        node = Node("--roles", roles, *where, *self.settings, *arguments,
                    env=self.env)
        self.nodes.append(node)
        listens = node.wait_ready()
        self.broker = self.broker or listens
        return node

    def run(self, command, *arguments):
        """Runs a client command; its exit code, stdout and stderr."""
        return run(command, "--broker", self.broker, *arguments,
                   env=self.given)

    def ask(self, command, *arguments):
        """The same where it must work; what it printed."""
        code, out, err = self.run(command, *arguments)
        assert code == 0, f"{command} {arguments}: {code} {err}"
        return out.strip()

    def stop(self):
        """Stops all, the broker last; the exit codes."""
        codes = []
        while self.nodes:  # one that hangs stays, to be discarded
            codes.append(self.nodes[-1].stop())
            self.nodes.pop()
        return codes

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        nodes, self.nodes = self.nodes[::-1], []
        ran = [node.discard() for node in nodes]
        if kind or not all(ran):
            for node in nodes:
                print(node.text())
        assert kind or all(ran), "a node ended by itself"


def run(*arguments, env=None):
    """Runs a command to its end; exit code, stdout and stderr."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True,
                          timeout=2 * SECONDS, check=False,
                          env={**os.environ, **(env or {})})
    return (done.returncode, done.stdout.decode(),
            done.stderr.decode().strip())


def numbers(verdict):
    """The last line of `rookery verify`, by name."""
    last = verdict.strip().splitlines()[-1]
    assert last.startswith("verify: "), last
    return {name: int(value) for name, value in
            (word.split("=") for word in last.split()[1:])}
