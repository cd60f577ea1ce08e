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
        if self.code is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self._join(10)
            except Trouble:
                self.child.kill()
                self._join(10)
        self.output.close()
        self.log.close()

    def _text(self, file):
        return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_ready(self, pattern="ready"):
        """Waits for a line of its log that matches; returns the match."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            found = re.search(pattern + r".*\n", self._text(self.log))
            if found:
                return found
            if self._ended():
                raise self.failure("ended before it was ready")
            time.sleep(0.01)
        raise self.failure(f"was not ready within {READY_SECONDS} s")

    def wait_port(self, port):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self._ended():
                raise self.failure("ended before it listened")
            time.sleep(0.02)
        raise self.failure(f"did not listen within {READY_SECONDS} s")

    def failure(self, what):
        last = "\n".join(self._text(self.log).splitlines()[-5:])
        return Trouble(f"{self.name} {what}" + (f": {last}" if last else ""))

    def usage(self):
        return usage_of(self.child.pid)

    def _ended(self):
        """Whether it has; then `code` and `cpu` are known."""
        if self.code is not None:
            return True
        try:
            self.peak = max(self.peak, self.usage()[1])
        except OSError:
            pass
        pid, status, used = os.wait4(self.child.pid, os.WNOHANG)
        if pid == 0:
            return False
        self.code = self.child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime
        return True

    def _join(self, seconds):
        deadline = time.monotonic() + seconds
        while not self._ended():
            if time.monotonic() > deadline:
                raise self.failure(f"did not end within {seconds} s")
            time.sleep(0.01)

    def wait(self, seconds=120):
        """Waits for its end; returns what the last line it printed says as a
        JSON object, or nothing."""
        self._join(seconds)
        if self.code != 0:
            raise self.failure(f"failed, exit code {self.code}")
        lines = self._text(self.output).strip().splitlines()
        is_object = lines and lines[-1].startswith("{")
        return json.loads(lines[-1]) if is_object else None
