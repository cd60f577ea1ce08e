"""One process of the demo, over its lives."""
import os
import re
import signal
import subprocess
import time
from datetime import datetime

STOP_SECONDS = 15  # a node ends by itself after 10, and then not with 0
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Trouble(Exception):
    """Something a user should read, and the end of the demo."""


class Process:
    """A node: its log, one for each life, and what it has used."""

    ready_seconds = 40

    def __init__(self, name, role, command, directory):
        self.name = name
        self.role = role
        self.command = command
        self.directory = directory
        self.lives = 0
        self.used_before = 0.0  # CPU seconds in earlier lives
        self.peak_before = 0.0
        self.start()

    def start(self):
        self.lives += 1
        life = f".{self.lives}" if self.lives > 1 else ""
        self.log = os.path.join(self.directory, f"{self.name}{life}.log")
        with open(self.log, "wb") as log:
            # Out of reach of Ctrl-C, which is for the demo: it stops them.
            self.child = subprocess.Popen(self.command, stdout=log, stderr=log,
                                          start_new_session=True)
        self.started = time.monotonic()
        self.paused = False
        self.leaving = None  # since when, after SIGTERM; on one clock

    def restart(self, command=None):
        """Kills it, without warning, and starts it again at once."""
        self.used_before, self.peak_before = self.usage()
        self.kill()
        self.command = command or self.command
        self.start()

    def kill(self):
        self.child.kill()
        self.child.wait()

    def leave(self):
        """Asks it to end in order."""
        self.used_before, self.peak_before = self.usage()
        self.leaving = time.monotonic()
        self.wake()
        self.child.send_signal(signal.SIGTERM)

    def has_left(self):
        """Whether it is gone, in order and in time; anything else is trouble."""
        code = self.child.poll()
        if code is None:
            if time.monotonic() < self.leaving + STOP_SECONDS:
                return False
            raise Trouble(f"{self.name} did not end within {STOP_SECONDS} s of "
                          "SIGTERM\n" + self.tail())
        if code != 0:
            raise Trouble(f"{self.name} was stopped, and its exit code is "
                          f"{code}\n" + self.tail())
        return True

    def begin_again(self, command):
        """Starts it again after it has left."""
        self.command = command
        self.start()

    def ready_line(self):
        """The line event=ready, or None so far."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            for line in log:
                if "event=ready" in line and line.endswith("\n"):
                    return line
        self.check_alive()
        if time.monotonic() > self.started + self.ready_seconds and not self.paused:
            raise Trouble(f"{self.name} was not ready within "
                          f"{self.ready_seconds} s\n" + self.tail())
        return None

    def times_of(self, event):
        """When its log has a line with `event`, seconds since the Unix epoch,
        and the line."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return [(datetime.fromisoformat(line[5:line.index("Z")] + "+00:00")
                     .timestamp(), line) for line in log
                    if f" event={event} " in line and line.startswith("time=")]

    def wait_ready(self):
        """Waits for the line event=ready and returns it."""
        while True:
            line = self.ready_line()
            if line:
                return line
            time.sleep(0.05)

    def check_alive(self):
        """Nobody but the demo itself ends a process, and that starts it
        again."""
        if self.leaving is None and self.child.poll() is not None:
            raise Trouble(f"{self.name} ended early, exit code "
                          f"{self.child.returncode}\n" + self.tail())

    def tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(f"  {self.name}: {x}" for x in log.readlines()[-lines:])

    def usage(self):
        """CPU seconds of all lives, and their peak memory in MiB, so far; not
        of what it does to end in order."""
        if self.leaving is not None:
            return self.used_before, self.peak_before
        cpu, peak = usage_of(self.child.pid)
        return self.used_before + cpu, max(self.peak_before, peak)

    def pause(self):
        self.paused = True
        self.signal(signal.SIGSTOP)

    def wake(self):
        self.paused = False
        self.signal(signal.SIGCONT)

    def signal(self, which):
        self.child.send_signal(which)

    def stop(self):
        if self.child.poll() is None:
            self.wake()
            self.child.send_signal(signal.SIGTERM)

    def wait_stopped(self):
        """Returns its exit code."""
        try:
            return self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


def usage_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    return cpu, int(peak.group(1)) / 1024 if peak else 0.0
