"""RabbitMQ as the broker of the demo: the private one of scripts/rabbitmq."""
import glob
import os
import re
import signal
import subprocess

from demo_process import Process, Trouble, usage_of

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "rabbitmq")
ROOT = os.path.join(os.path.dirname(HERE), "build", "rabbitmq", "root")


class RabbitMq(Process):
    """Several processes in a root of their own. What starts them ends when they
    are ready; who is killed goes on with the data that was on the disk."""

    ready_seconds = 600  # the first time it makes the root

    def __init__(self, name, directory):
        super().__init__(name, "broker", [SCRIPT, "start"], directory)

    def ready_line(self):
        if self.child.poll() != 0:
            return super().ready_line()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            found = re.search(r"listens on (\S+);", log.read())
        if not found:
            raise Trouble("scripts/rabbitmq did not say where it listens\n"
                          + self.tail())
        return f"event=ready listens={found.group(1)}"

    def credentials(self):
        """As variables of the environment, for nodes and clients."""
        with open(ROOT + ".env", encoding="utf-8") as file:
            lines = [line.strip().split("=", 1) for line in file]
        return {name: value for name, value in lines
                if name != "ROOKERY_BROKERS"}

    def check_alive(self):
        if self.child.poll() not in (None, 0):
            super().check_alive()
        if self.child.poll() == 0 and not self.inhabitants():
            raise Trouble(f"{self.name} ended early\n" + self.tail())

    def inhabitants(self):
        result = []
        for link in glob.glob("/proc/[0-9]*/root"):
            try:
                if os.readlink(link) == ROOT:
                    result.append(int(link.split("/")[2]))
            except OSError:
                pass  # it has just ended
        return result

    def restart(self, command=None):
        super().restart([SCRIPT, "start", "--again"])

    def kill(self):
        super().kill()  # what starts it, if it still does
        subprocess.run([SCRIPT, "kill"], check=True)

    def usage(self):
        cpu, peak = 0.0, 0.0
        for pid in self.inhabitants():
            try:
                used = usage_of(pid)
            except OSError:
                continue
            cpu, peak = cpu + used[0], max(peak, used[1])
        return self.used_before + cpu, max(self.peak_before, peak)

    def signal(self, which):
        for pid in self.inhabitants():
            try:
                os.kill(pid, which)
            except ProcessLookupError:
                pass

    def stop(self):
        self.wake()
        super().kill()
        self.child = subprocess.Popen([SCRIPT, "stop"],
                                      stdout=subprocess.DEVNULL,
                                      start_new_session=True)

    def wait_stopped(self):
        return self.child.wait()  # the script has a deadline, and kills then
