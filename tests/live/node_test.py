#!/usr/bin/env python3
"""The node command as a user meets it: every mistake gets one clear line and
its exit code; a node stops when it is told to, in time."""
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

from rookery_process import PROGRAM, SECONDS, Node, run

CONFIGS = pathlib.Path(__file__).parents[2] / "nodes" / "configs"


class Refused(unittest.TestCase):
    """A configuration that cannot be used: exit code 2."""

    def check(self, message, *arguments, env=None):
        code, out, err = run("node", *arguments, env=env)
        self.assertEqual((code, out, err), (2, "", "rookery node: " + message))

    def test_unknown_role(self):
        self.check("roles = king: unknown role 'king'; roles are broker, "
                   "tweet, follower, fanout, all", "--roles", "king")

    def test_no_role(self):
        self.check("roles = (nothing): name at least one of broker, tweet, "
                   "follower, fanout, or all")

    def test_value_out_of_range(self):
        self.check("shards = 0: must be 1..1024",
                   "--roles", "fanout", "--shards", "0")

    def test_value_from_the_environment(self):
        self.check("shards = many: is not a whole number",
                   "--roles", "fanout", env={"ROOKERY_SHARDS": "many"})

    def test_unknown_key_in_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("roles = fanout\nshrds = 8\n")
            file.flush()
            self.check(f"{file.name}: line 2: shrds: the configuration has no "
                       "such key", "--config", file.name)

    def test_version(self):
        code, out, err = run("--version")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^rookery \d+\.\d+\.\d+\n$")

    def test_unknown_command(self):
        self.assertEqual(
            run("fly"), (2, "", "rookery: unknown command 'fly'; "
                         "`rookery --help` lists them"))


class Failed(unittest.TestCase):
    """A good configuration that does not work out: exit code 1."""

    def check(self, pattern, *arguments):
        code, out, err = run("node", "--log-level", "error", *arguments)
        self.assertEqual((code, out), (1, ""), err)
        self.assertRegex(err, "^rookery node: " + pattern + "$")

    def test_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.check(f".*127.0.0.1.*{port}.*[Aa]ddress already in use.*",
                       "--roles", "broker", "--listen", f"127.0.0.1:{port}")

    def test_broker_down(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.check(f"broker 127.0.0.1:{port}: there is no connection to the "
                   "broker .*[Cc]onnection refused.*",
                   "--roles", "fanout", "--connect-timeout-ms", "300",
                   "--brokers", f"127.0.0.1:{port}")

    def test_store_that_is_no_database(self):
        with tempfile.TemporaryDirectory() as store:
            pathlib.Path(store, "tweets.db").write_text("no database " * 100)
            self.check(".*store .*tweets.db.*not a database.*",
                       "--roles", "tweet", "--store", store)

    def test_store_that_cannot_be_made(self):
        with tempfile.NamedTemporaryFile() as file:
            self.check(".*" + file.name + ".*",
                       "--roles", "follower", "--store", file.name + "/store")

    def test_store_of_a_newer_schema(self):
        with tempfile.TemporaryDirectory() as store:
            make_store(store, schema_version=2, partitions=2)
            self.check(".*tweets.db.*schema_version is 2 .*wanted 1.*",
                       "--roles", "tweet", "--store", store)

    def test_store_made_for_another_count(self):
        with tempfile.TemporaryDirectory() as store:
            make_store(store, schema_version=1, partitions=3)
            self.check(".*tweets.db.*partitions is 3 .*wanted 2.*",
                       "--roles", "tweet", "--store", store)


def make_store(directory, **meta):
    with sqlite3.connect(os.path.join(directory, "tweets.db")) as database:
        database.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value)")
        database.executemany("INSERT INTO meta VALUES(?, ?)", meta.items())
    database.close()


class Configuration(unittest.TestCase):
    def test_every_sample_is_good_and_shown(self):
        samples = sorted(CONFIGS.glob("*.conf"))
        self.assertEqual(len(samples), 6)
        for sample in samples:
            code, out, err = run("node", "--check-config", "--config",
                                 str(sample))
            self.assertEqual((code, err), (0, ""))
            self.assertIn('shards = "8"', out)

    def test_what_is_shown_is_a_file_that_means_the_same(self):
        sample = str(CONFIGS / "tweet.conf")
        _, shown, _ = run("node", "--check-config", "--config", sample)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(shown)
            file.flush()
            _, again, _ = run("node", "--check-config", "--config", file.name)
        self.assertEqual(again, shown)

    def test_flags_win_over_environment_over_file(self):
        sample = str(CONFIGS / "tweet.conf")
        _, out, _ = run("node", "--check-config", "--config", sample,
                        "--shards", "5", env={"ROOKERY_SHARDS": "6",
                                              "ROOKERY_TWEET_PARTITIONS": "7",
                                              "ROOKERY_USER": "ann",
                                              "ROOKERY_PASSWORD": "hush"})
        self.assertIn('shards = "5"', out)
        self.assertIn('tweet-partitions = "7"', out)
        self.assertIn('password = "***"', out)
        self.assertNotIn("hush", out)


class Stopping(unittest.TestCase):
    def start(self, *arguments):
        node = Node(*arguments)
        self.addCleanup(lambda: self.assertTrue(node.discard(), node.text()))
        return node, node.wait_ready()

    def test_a_signal_stops_a_node_in_order(self):
        for name in (signal.SIGTERM, signal.SIGINT):
            node, _ = self.start("--roles", "broker,fanout", "--listen",
                                 "127.0.0.1:0")
            node.child.send_signal(name)
            self.assertEqual(node.end(), 0)
            self.assertRegex(node.text(), "event=stopped")

    def test_a_signal_while_it_waits_for_the_broker(self):
        node = Node("--roles", "fanout", "--brokers", "127.0.0.1:1")
        node.wait_for("event=broker-unreachable")
        self.assertEqual(node.stop(), 0)

    def test_a_broker_that_hangs_does_not_hold_it_up(self):
        broker, listens = self.start("--roles", "broker", "--listen",
                                     "127.0.0.1:0")
        node, _ = self.start("--roles", "fanout", "--brokers", listens,
                             "--stop-timeout-ms", "1000")
        broker.child.send_signal(signal.SIGSTOP)
        node.terminate()
        self.assertEqual(node.end(seconds=10), 0)

    def test_a_second_signal_ends_it_at_once(self):
        broker, listens = self.start("--roles", "broker", "--listen",
                                     "127.0.0.1:0")
        node, _ = self.start("--roles", "fanout", "--brokers", listens,
                             "--stop-timeout-ms", "600000")
        broker.child.send_signal(signal.SIGSTOP)
        node.terminate()
        node.wait_for("event=stopping")
        deadline = time.monotonic() + 10
        while node.child.poll() is None and time.monotonic() < deadline:
            node.terminate()  # what comes at once is taken for the first
            time.sleep(0.05)
        self.assertEqual(node.end(seconds=10), 1)
        self.assertRegex(node.text(), 'event=killed why="second signal"')

    def test_a_signal_that_comes_twice_at_once_is_one(self):
        # `timeout` and others signal the process, and then its group.
        for _ in range(5):
            node, _ = self.start("--roles", "broker,fanout", "--listen",
                                 "127.0.0.1:0")
            node.child.send_signal(signal.SIGTERM)
            node.child.send_signal(signal.SIGINT)  # one SIGTERM more may merge
            self.assertEqual(node.end(), 0, node.text())

    def test_a_log_that_nobody_reads_does_not_hold_it_up(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(writer, b"\n" * 4096)
        os.set_blocking(writer, True)
        child = subprocess.Popen(
            [PROGRAM, "node", "--roles", "broker", "--listen", "127.0.0.1:0",
             "--stop-timeout-ms", "100"], stdout=writer, stderr=writer)
        self.addCleanup(child.kill)
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        deadline = time.monotonic() + 20
        while not waits_for(child.pid, signal.SIGTERM):
            self.assertLess(time.monotonic(), deadline)
        child.terminate()
        self.assertEqual(child.wait(20), -signal.SIGALRM)


class ReadyFile(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = pathlib.Path(directory.name) / "ready"
        self.broker = Node("--roles", "broker", "--listen", "127.0.0.1:0")
        self.addCleanup(self.broker.discard)
        self.node = Node("--roles", "fanout", "--ready-file", str(self.file),
                         "--brokers", self.broker.wait_ready())
        self.addCleanup(self.node.discard)
        self.node.wait_ready()
        self.wait(self.file.exists)

    def wait(self, wanted):
        deadline = time.monotonic() + SECONDS
        while not wanted():
            self.assertLess(time.monotonic(), deadline, self.node.text())
            time.sleep(0.05)

    def test_it_is_young_while_the_node_works_and_gone_after_it(self):
        first = self.file.stat().st_mtime_ns
        self.wait(lambda: self.file.stat().st_mtime_ns > first)
        self.assertEqual(self.node.stop(), 0)
        self.assertFalse(self.file.exists())

    def test_it_goes_with_the_broker(self):
        self.broker.kill()
        self.wait(lambda: not self.file.exists())


def waits_for(pid, number):
    """Whether a process takes that signal by itself: it blocks it."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        blocked = re.search(r"SigBlk:\s+(\w+)", status.read()).group(1)
    return int(blocked, 16) >> (number - 1) & 1 == 1


if __name__ == "__main__":
    unittest.main(verbosity=2)
