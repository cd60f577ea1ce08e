#!/usr/bin/env python3
"""A shard's owner is stopped for longer than the broker waits, and woken: it
finds requests that another node has answered meanwhile. Its connection runs
through a relay that sees every byte it says."""
import concurrent.futures
import select
import signal
import socket
import tempfile
import threading
import time
import unittest

from rookery_process import SECONDS, Service

USERS = range(1, 17)
AUTHOR = 100
REQUEST = b"HomeTimelineRequest"
HEARTBEAT = b"\0\0\0\x08\x02\0\0\0"
CLOSE = b"\0\x53\x18"  # the descriptor of AMQP's performative


class Relay:
    """Carries connections to a broker. What the broker ends stays open to the
    node, so that the node is not told what it must find out."""

    def __init__(self, broker):
        host, port = broker.rsplit(":", 1)
        self.broker = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Condition()
        self.said = []   # by connection: what the node said since the mark
        self.heard = []  # and what it was told
        threading.Thread(target=self._accept, daemon=True).start()

    def mark(self):
        with self.lock:
            self.said = [b""] * len(self.said)
            self.heard = [b""] * len(self.heard)

    def wait_to_hear(self, words):
        with self.lock:
            assert self.lock.wait_for(
                lambda: words in b"".join(self.heard), SECONDS), words

    def _accept(self):
        while True:
            try:
                node, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.said.append(b"")
                self.heard.append(b"")
                number = len(self.said) - 1
            threading.Thread(target=self._carry, args=(node, number),
                             daemon=True).start()

    def _carry(self, node, number):
        broker = socket.create_connection(self.broker)
        sides = [node, broker]
        while node in sides:
            for side in select.select(sides, [], [])[0]:
                try:
                    data = side.recv(1 << 16)
                except ConnectionError:
                    data = b""
                if not data:
                    sides.remove(side)
                    continue
                with self.lock:
                    log = self.said if side is node else self.heard
                    log[number] += data
                    self.lock.notify_all()
                try:
                    (broker if side is node else node).sendall(data)
                except OSError:
                    pass  # that side has ended
        node.close()
        broker.close()

    def close(self):
        self.listener.close()


def wait_for_count(node, text, count):
    """Waits until `count` lines hold `text`."""
    deadline = time.monotonic() + SECONDS
    with node.changed:
        while sum(text in line for line in node.lines) < count:
            left = deadline - time.monotonic()
            assert left > 0 and not node.over, node.text()
            node.changed.wait(left)


class Lease(unittest.TestCase):
    def setUp(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(len(USERS))
        self.addCleanup(self.pool.shutdown)

    def read(self, service, users=USERS):
        """Reads at once; they may have to wait for a new owner."""
        return [self.pool.submit(service.ask, "timeline", str(user),
                                 "--timeout", str(SECONDS)) for user in users]

    def one_behind(self, relay, service):
        """A user whose timeline is with the node behind the relay."""
        for user in USERS:
            relay.mark()
            service.ask("timeline", str(user))
            if REQUEST in b"".join(relay.heard):
                return user
        raise AssertionError("no timeline is with the node behind the relay")

    def timelines(self, service, *allowed):
        for read in self.read(service):
            self.assertIn(read.result().splitlines(), allowed)

    def test_a_stopped_owner_says_nothing_when_it_wakes(self):
        with tempfile.TemporaryDirectory() as store:
            with Service("--store", store) as service:
                self.run_service(service)

    def run_service(self, service):
        service.start("broker")
        direct = service.broker
        service.start("tweet,follower")
        relay = Relay(direct)
        service.broker = relay.address
        first = service.start("fanout", "--node-name", "first")
        service.broker = direct
        service.start("fanout", "--node-name", "second")
        for user in USERS:
            service.ask("follow", str(user), str(AUTHOR))
        before = service.ask("post", str(AUTHOR), "before")
        lines = [f"{before}\t{AUTHOR}\tbefore"]
        self.timelines(service, lines)

        # One client, for it must be there before the owner is given up.
        asked = [self.one_behind(relay, service)]
        relay.mark()
        first.child.send_signal(signal.SIGSTOP)
        reads = self.read(service, asked)
        relay.wait_to_hear(REQUEST)
        after = service.ask("post", str(AUTHOR), "after")
        old = list(lines)
        lines.insert(0, f"{after}\t{AUTHOR}\tafter")
        for read in reads:
            self.assertIn(read.result().splitlines(), (old, lines))
        self.timelines(service, lines)

        relay.mark()  # until it stopped it may have said anything
        first.child.send_signal(signal.SIGCONT)
        wait_for_count(first, "event=broker-up", 2)
        self.assertRegex(first.text(), "event=broker-down .*"
                         "(lease-lapsed|idle-timeout)")
        # When it has stopped, what it had to say is said.
        service.nodes.remove(first)
        self.assertEqual(first.stop(), 0)
        last_words = relay.said[0].replace(HEARTBEAT, b"")
        self.assertIn(last_words[8:11], (b"", CLOSE), last_words)
        self.assertNotIn(b"HomeTimelineReply", b"".join(relay.said))
        self.timelines(service, lines)
        self.assertEqual(service.stop(), [0] * 3)
        relay.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
