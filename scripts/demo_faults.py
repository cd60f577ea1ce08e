"""Kills, stops and pauses the demo's processes under load, at moments that a
seed decides, and tells what was under way then."""
import json
import random
import signal
import time

ROLES = ("fanout", "tweet", "follower", "broker")
LAGS_SECONDS = 12  # until `rookery load` has told what lagged at a moment
SIGNAL_US = 5000  # until a process that was sent SIGSTOP is stopped
WHOLE_SECONDS = 60  # of --kills: to wait before the next, at most

HELP = """
Faults. The middle 70 percent of the load are cut into as many parts as there
are faults; each comes at a random moment of its part, in a random order, which
--seed decides. With --kills they come evenly, each after the one before is
over. A kill is SIGKILL; the process is started again at once, a broker on the
port it had. A stop is SIGTERM: the process must end with exit code 0 in the
time that it has for this (--stop-timeout-ms), or the demo fails; then it is
started again. Nothing else is done to any process meanwhile.

A tweet is applied about as soon as its client hears of it, so most moments
find nothing half done. Therefore all fanout processes are stopped (SIGSTOP)
for --hold milliseconds before a kill and go on right after it: what is
acknowledged meanwhile waits for them, in the broker or on the way.

For each fault one line tells when it came, when the process was ready again
(connected, all links attached) and when the service was whole again: a round of
questions begun after the fault was answered by all shards, ready, and all
writers, each behind what waits in its queue. For a pause it tells when others
had taken over all it had: event=active in the broker's log, when another's
consumer becomes a queue's active one, and for a writer event=owned in theirs,
when another may write its logs. It also tells how many
acknowledged tweets were not yet applied by every shard at the moment of the
fault: `rookery load --lags` notes for each tweet when it was posted, when the
client had the acknowledgement and when the last shard says it became readable,
on one clock. Counted are those with the acknowledgement before the fault and
readable after it; and those of which no shard tells (with a broker all shards
start anew), if they were posted while all were stopped. There may have been
more: a shard that is killed cannot tell. To know this takes ten seconds: the
line comes late.
"""


def now_us():
    return time.time() * 1e6


class Status:
    """The file that `rookery load` replaces, see status_file.hpp."""

    def __init__(self, name):
        self.name = name

    def read(self):
        try:
            with open(self.name, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None


class Lags:
    """The file of `rookery load --lags`, as far as it is."""

    def __init__(self, name):
        self.name = name
        self.offset = 0
        self.lags = []  # (posted, acknowledged, readable), microseconds

    def read(self):
        try:
            with open(self.name, "rb") as file:
                file.seek(self.offset)
                lines = file.read()
        except FileNotFoundError:
            return
        lines = lines[:lines.rfind(b"\n") + 1]
        self.offset += len(lines)
        for line in lines.splitlines():
            self.lags.append([int(x) for x in line.split()])

    def count(self, held_us, at_us):
        """Acknowledged by then, and readable everywhere only later: a shard
        says so, or nobody does and no shard ran since it was posted."""
        self.read()
        return sum(acknowledged <= at_us
                   and (readable > at_us or readable == 0 and posted >= held_us)
                   for posted, acknowledged, readable in self.lags)


class Fault:
    """One kill, stop or pause, from its plan to its line."""

    def __init__(self, due, kind, role):
        self.due = due  # seconds since the load began
        self.kind = kind
        self.role = role
        self.process = None
        self.at_us = 0
        self.held_us = 0  # from when on no shard ran
        self.life = 0
        self.ready = None  # seconds after the fault
        self.whole = None
        self.left = None  # of a stop
        self.woken = None  # of a pause
        self.taken = None  # over by others, of a pause

    def look(self, status):
        """Takes in what is new."""
        passed = (now_us() - self.at_us) / 1e6
        if (self.ready is None and self.life == self.process.lives
                and not self.process.paused and self.process.ready_line()):
            self.ready = passed
        if (self.whole is None and status["silent"] == 0
                and status["writers_silent"] == 0
                and min(status["asked_us"],
                        status["writers_asked_us"]) > self.at_us):
            self.whole = passed

    def over(self):
        replaced = self.life != self.process.lives
        return ((self.ready is not None or replaced)
                and self.whole is not None
                and (self.kind != "stop" or self.left is not None)
                and (self.kind != "pause" or self.woken is not None))

    def line(self, started_us, unapplied):
        def after(seconds):
            return "not seen" if seconds is None else f"after {seconds:.1f} s"

        what = {"kill": "killed", "stop": "stopped", "pause": "paused"}
        text = (f"demo: {what[self.kind]} {self.process.name} at "
                f"{(self.at_us - started_us) / 1e6:.1f} s; ")
        if self.kind == "stop":
            text += f"left {after(self.left)}, "
        if self.kind != "pause":
            text += (f"{what[self.kind]} again before it was ready"
                     if self.ready is None and self.life != self.process.lives
                     else "ready " + after(self.ready))
        else:
            text += (f"taken over {after(self.taken)}, "
                     f"woken {after(self.woken)}")
        return (f"{text}, service whole {after(self.whole)}; at least "
                f"{unapplied} acknowledged tweets were not applied everywhere "
                "yet")


def plan(options):
    """The faults in the order they are due."""
    chance = random.Random(f"faults {options.seed}")
    begin, length = 0.15 * options.seconds, 0.7 * options.seconds
    wanted = ([("kill", x) for x in options.kill or ()]
              + [("pause", x) for x in options.pause or ()]
              + [("stop", x) for x in options.stop or ()])
    chance.shuffle(wanted)
    result = [Fault(begin + length * (i + chance.random()) / len(wanted), *x)
              for i, x in enumerate(wanted)]
    gap = options.seconds / (options.kills + 1)
    result += [Fault(gap * (i + 1), "kill", chance.choice(ROLES))
               for i in range(options.kills)]
    for fault in result:
        if fault.kind == "pause":  # it should end under load, too
            fault.due = max(begin, min(fault.due, begin + length
                                       - options.pause_seconds))
    return sorted(result, key=lambda x: x.due), chance


class Faults:
    """Does all faults of a demo, a little in each `step`."""

    def __init__(self, demo):
        options = demo.options
        self.demo = demo
        self.options = options
        self.waiting, self.chance = plan(options)
        self.running = []
        self.over = []  # and not told yet
        self.status = Status(demo.status)
        self.lags = Lags(demo.lags)
        self.started_us = None
        self.busy = {}  # CPU seconds by process, and when that was
        self.busy_us = 0

    def step(self):
        status = self.status.read()
        if not status:
            return
        self.started_us = status["started_us"]
        for fault in list(self.running):
            self.proceed(fault, status)
        self.watch_owners()
        if self.waiting and self.is_due(self.waiting[0]):
            self.strike(self.waiting.pop(0))
        if (self.over and now_us() > self.over[0].at_us + LAGS_SECONDS * 1e6):
            self.tell(self.over.pop(0))

    def proceed(self, fault, status):
        passed = (now_us() - fault.at_us) / 1e6
        if (fault.kind == "pause" and fault.woken is None
                and passed >= self.options.pause_seconds):
            fault.process.wake()
            fault.woken = passed
        if fault.kind == "stop" and fault.left is None:
            self.look_for_end(fault)
        fault.look(status)
        if fault.kind == "pause" and fault.woken is not None:
            self.look_for_owners(fault)
        if fault.over():
            self.running.remove(fault)
            self.over.append(fault)

    def look_for_end(self, fault):
        if fault.process.has_left():
            fault.left = (now_us() - fault.at_us) / 1e6
            self.demo.start_again(fault.process)

    def look_for_owners(self, fault):
        """When the last of what the paused process had was with others."""
        others = [x for x in self.demo.processes
                  if x.role == fault.role and x != fault.process]
        peers = {f"peer={x.name}" for x in others}
        told = [at for x in others for at, _ in x.times_of("owned")]
        for broker in self.demo.processes:
            if broker.role == "broker":
                told += [at for at, line in broker.times_of("active")
                         if peers & set(line.split())]
        owned = [at - fault.at_us / 1e6 for at in told]
        fault.taken = max((x for x in owned if 0 < x < fault.woken),
                          default=None)

    def tell(self, fault):
        unapplied = self.lags.count(fault.held_us, fault.at_us)
        print(fault.line(self.started_us, unapplied), flush=True)

    def is_due(self, fault):
        now = now_us()
        if (now < self.started_us + fault.due * 1e6
                or any(x.leaving is not None for x in self.demo.processes)):
            return False
        return not self.options.kills or not any(
            now < x.at_us + WHOLE_SECONDS * 1e6 for x in self.running)

    def strike(self, fault):
        fault.process = self.choose(fault)
        fault.at_us = fault.held_us = now_us()
        if fault.kind == "pause":
            fault.process.pause()
        elif fault.kind == "kill":
            self.kill(fault)
        else:
            fault.process.leave()
        fault.life = fault.process.lives + (fault.kind == "stop")
        self.running.append(fault)

    def kill(self, fault):
        held = [x for x in self.demo.processes
                if x.role == "fanout" and not x.paused]
        if self.options.hold:
            for process in held:
                process.child.send_signal(signal.SIGSTOP)
            fault.held_us = now_us() + SIGNAL_US
            time.sleep(self.options.hold / 1e3)
        fault.at_us = now_us()
        self.demo.restart(fault.process)
        for process in held:
            process.child.send_signal(signal.SIGCONT)

    def choose(self, fault):
        """Any process of the role to kill or stop; to pause, the one that
        worked most lately, so owns something."""
        able = [x for x in self.demo.processes
                if x.role == fault.role and not x.paused]
        if not able:
            able = [x for x in self.demo.processes if x.role == fault.role]
        if fault.kind != "pause":
            return self.chance.choice(able)
        return max(able, key=lambda x: x.usage()[0]
                   - self.busy.get(x.name, 0.0))

    def watch_owners(self):
        if now_us() > self.busy_us + 2e6:
            self.busy_us = now_us()
            self.busy = {x.name: x.usage()[0] for x in self.demo.processes}

    def finish(self):
        """After the load: what is left, with what is known of it."""
        for fault in list(self.running):
            if fault.kind == "pause" and fault.woken is None:
                fault.process.wake()
                fault.woken = (now_us() - fault.at_us) / 1e6
            while fault.kind == "stop" and fault.left is None:
                self.look_for_end(fault)
                time.sleep(0.05)
            if fault.life == fault.process.lives:
                fault.process.wait_ready()
            self.proceed(fault, self.status.read())
        for fault in sorted(self.over + self.running, key=lambda x: x.at_us):
            self.tell(fault)
        for fault in self.waiting:
            print(f"demo: no time left to {fault.kind} {fault.role}")
