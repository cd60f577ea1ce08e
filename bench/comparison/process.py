"""Processes: what they print, and what they use of the machine."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 30


class Trouble(Exception):
    """A contestant failed: the text says how."""


def free_port():
    """One that nobody listens on, below those the kernel gives to clients."""
    for port in range(21000 + os.getpid() % 5000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Trouble("no free port")


def usage_of(pid):
    """CPU seconds of a live process with all its threads, and its peak
    resident memory in MiB."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    return cpu, int(peak.group(1)) / 1024 if peak else 0.0


def reset_peak(pid):
    """Lets its peak resident memory begin with what it has now."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


class Program:
    """One child process. To be used in a `with`: it ends with the block."""

    def __init__(self, *command, environment=None):
        self.name = os.path.basename(str(command[0]))
        self.output = tempfile.TemporaryFile()
        self.log = tempfile.TemporaryFile()
        self.child = subprocess.Popen(
            [str(x) for x in command], stdout=self.output, stderr=self.log,
            stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, **(environment or {})})
        self.cpu = None   # CPU seconds, once it has ended
        self.peak = 0.0   # MiB, as last seen
        self.code = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            if self.code is None:
                self._end()
        finally:
            self.output.close()
            self.log.close()

    def _end(self):
        if self.ended():
            if self.code:
                # Whatever else went wrong, this is why.
                raise self.failure(f"ended by itself, exit code {self.code}")
            return
        os.kill(self.child.pid, signal.SIGTERM)
        try:
            self._join(10)
        except Trouble:
            os.kill(self.child.pid, signal.SIGKILL)
            self._join(10)

    def _text(self, file):
        return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_ready(self, pattern="ready"):
        """Waits for a line of its log that matches; returns the match."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            found = re.search(pattern + r".*\n", self._text(self.log))
            if found:
                return found
            if self.ended():
                raise self.failure("ended before it was ready")
            time.sleep(0.01)
        raise self.failure(f"was not ready within {READY_SECONDS} s")

    def wait_port(self, port):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.ended():
                raise self.failure("ended before it listened")
            time.sleep(0.02)
        raise self.failure(f"did not listen within {READY_SECONDS} s")

    def failure(self, what):
        last = "\n".join(self._text(self.log).splitlines()[-5:])
        return Trouble(f"{self.name} {what}" + (f": {last}" if last else ""))

    def usage(self):
        if self.ended():
            raise self.failure("ended too early")
        return usage_of(self.child.pid)

    def ended(self):
        """Whether it has; then `code` and `cpu` are known. Its peak memory is
        seen by those who ask this while it runs."""
        if self.code is not None:
            return True
        self.peak = max(self.peak, usage_of(self.child.pid)[1])
        pid, status, used = os.wait4(self.child.pid, os.WNOHANG)
        if pid == 0:
            return False
        self.code = self.child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime
        return True

    def _join(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                raise self.failure(f"did not end within {seconds} s")
            time.sleep(0.01)

    def wait(self, seconds=120):
        """Waits for its end, and that it went well."""
        self._join(seconds)
        if self.code != 0:
            raise self.failure(f"failed, exit code {self.code}")

    def result(self, seconds=120):
        """The same; returns the JSON object that it printed last."""
        self.wait(seconds)
        lines = self._text(self.output).strip().splitlines()
        if not lines or not lines[-1].startswith("{"):
            raise self.failure("printed no result")
        return json.loads(lines[-1])


def wait_for_all(*programs, seconds=120):
    """Waits until all have ended well. One that has not ends the waiting for
    the others."""
    deadline = time.monotonic() + seconds
    while not all([x.ended() for x in programs]):
        for x in programs:
            if x.code:
                raise x.failure(f"failed, exit code {x.code}")
            if x.code is None and time.monotonic() > deadline:
                raise x.failure(f"did not end within {seconds} s")
        time.sleep(0.01)
    for x in programs:
        x.wait()
