#!/usr/bin/env python3
"""`rookery dlq` with what a real node parked: nothing that it does loses a
message, and what it cannot do it says."""
import json
import os
import signal
import socket
import subprocess
import time
import unittest
import uuid

import given_broker
from given_broker import FOREIGN, PYTHON
from rookery_process import PROGRAM, SECONDS, Node, run

POISONED = os.environ["ROOKERY_PROGRAM_poisoned_node"]
TYPE = "rookery.service.v1.PostTweetRequest"
TRACE = "0af7651916cd43dd8448eb211c80319c"
# Of the first that is posted. A tweet's text is bytes, in JSON base64.
BODY = ('{"author":"1","text":"aGk=","idempotencyKey":"",'
        '"intendedAtUs":"0"}')


class Dlq(unittest.TestCase):

    def setUp(self):
        self.given = given_broker.access()
        self.name = "poisoned-" + uuid.uuid4().hex[:8]
        where = ([] if self.given else ["--listen", "127.0.0.1:0"])
        self.node = Node("--roles", "poisoned", *where, program=POISONED,
                         env={**self.given, "POISONED": self.name})
        self.addCleanup(self.node.discard)
        listens = self.node.wait_ready()
        self.broker = self.given.get("ROOKERY_BROKERS", listens)
        self.dead = self.name + ".dead"
        self.work = self.name + ".work"
        self.other = self.name + ".other"

    def tearDown(self):
        self.assertEqual(self.node.stop(), 0)

    def dlq(self, command, *arguments):
        """Exit code, stdout, stderr."""
        return run("dlq", "--broker", self.broker, command, *arguments,
                   env=self.given)

    def ask(self, command, *arguments):
        code, out, err = self.dlq(command, *arguments)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def parked(self, queue, command="list"):
        """What is in a queue, in order; empty when nothing is."""
        code, out, err = self.dlq(command, queue, "--json", "--max", "10000")
        self.assertEqual(code, 0, err)
        return [json.loads(line) for line in out.splitlines()]

    def wait_for(self, queue, count):
        """Asks until so many are in a queue: there is no event to wait for."""
        deadline = time.monotonic() + SECONDS
        while len(found := self.parked(queue)) != count:
            self.assertLess(time.monotonic(), deadline, found)
        return found

    def post(self, *ids):
        """Sends tweets that will be parked, and waits until they are."""
        env = {**os.environ, **self.given, "ROOKERY_BROKERS": self.broker}
        done = subprocess.run([PYTHON, FOREIGN / "post_to.py", self.work, *ids],
                              env=env, check=True, timeout=SECONDS,
                              capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines(),
                         [f"{each} accepted" for each in ids])
        return self.wait_for(self.dead, len(ids))

    def test_list_tells_why_and_where_from(self):
        parked = self.post("a", "b")
        self.assertEqual([each["message_id"] for each in parked], ["a", "b"])
        self.assertEqual(
            parked[0],
            {"message_id": "a", "type": TYPE, "queue": self.work,
             "condition": "rookery:poison", "reason": "never seen this author",
             "attempts": 1, "trace_id": TRACE, "body_bytes": 13})
        head, first, second, total = self.ask("list", self.dead).splitlines()
        self.assertEqual(total, "2 messages parked")
        for name, value in (("CONDITION", "rookery:poison"), ("TYPE", TYPE),
                            ("TRACE-ID", TRACE), ("REASON", "never")):
            for line in (first, second):  # in columns
                self.assertEqual(line.index(value), head.index(name))
        self.assertRegex(first, rf"^1 +rookery:poison +{self.work} +{TYPE} +a +"
                         rf"{TRACE} +never seen this author$")
        self.assertRegex(self.ask("list", self.dead, "--max", "1"),
                         r"(?m)^2 messages parked, shown the first 1$")

    def test_looking_changes_nothing(self):
        before = self.post("a", "b", "c")
        for _ in range(30):  # more often than a broker may deliver by default
            self.ask("show", self.dead, "--max", "2")
        self.assertEqual(self.parked(self.dead), before)

    def test_show_tells_the_body(self):
        self.post("a")
        self.assertIn(f"body        {BODY}\n", self.ask("show", self.dead))
        self.assertEqual(self.parked(self.dead, "show")[0]["body"],
                         json.loads(BODY))

    def test_show_of_what_nobody_can_read(self):
        self.post("garbage")
        told = self.ask("show", self.dead)
        self.assertRegex(told, "(?m)^condition +amqp:decode-error$")
        self.assertRegex(told, "(?m)^attempts +0$")
        self.assertRegex(told, "(?m)^body, hex +ff$")
        self.assertEqual(self.parked(self.dead, "show")[0]["body_hex"], "ff")

    def test_replay_goes_where_it_came_from(self):
        self.post("a", "b")
        self.assertEqual(self.ask("replay", self.dead), "replayed 2 messages\n")
        # The node takes them this time.
        self.wait_for(self.work, 0)
        self.assertEqual(self.parked(self.dead), [])

    def test_replay_to_another_queue_without_the_note(self):
        self.post("a", "b", "c")
        self.assertEqual(
            json.loads(self.ask("replay", self.dead, "--to", self.other,
                                "--max", "2", "--json")),
            {"replayed": 2, "kept": 0})
        self.assertEqual([each["message_id"]
                          for each in self.parked(self.dead)], ["c"])
        again = self.parked(self.other, "show")
        self.assertEqual([each["message_id"] for each in again], ["a", "b"])
        self.assertEqual(
            again[0],
            {"message_id": "a", "type": TYPE, "queue": "", "condition": "",
             "reason": "", "attempts": 0, "trace_id": TRACE, "body_bytes": 13,
             "body": json.loads(BODY)})

    def test_what_cannot_be_replayed_stays(self):
        before = self.post("a", "b")
        code, out, err = self.dlq("replay", self.dead, "--to", "nowhere")
        self.assertEqual((code, out), (1, "replayed 0 messages\n"))
        self.assertEqual(err, "rookery dlq replay: 2 messages kept: there is "
                         'no queue "nowhere"')
        self.assertEqual(self.parked(self.dead), before)
        code, _, err = self.dlq("replay", self.dead, "--to", self.dead)
        self.assertEqual(code, 2)
        self.assertIn("--to is the queue that the messages are in", err)

    def test_a_replay_that_is_killed_loses_nothing(self):
        ids = {f"m{i}" for i in range(1000)}
        self.post(*sorted(ids))
        replay = subprocess.Popen(
            [PROGRAM, "dlq", "--broker", self.broker, "replay", self.dead,
             "--to", self.other], env={**os.environ, **self.given},
            stdout=subprocess.DEVNULL)
        self.addCleanup(replay.kill)
        # In slices, so that it stands still, and is not done, when we look.
        deadline = time.monotonic() + SECONDS
        while not self.parked(self.other):
            self.assertLess(time.monotonic(), deadline)
            replay.send_signal(signal.SIGCONT)
            time.sleep(0.003)
            replay.send_signal(signal.SIGSTOP)
        replay.kill()
        self.assertEqual(replay.wait(SECONDS), -signal.SIGKILL)
        self.assertLess(len(self.parked(self.other)), len(ids))
        deadline = time.monotonic() + SECONDS  # until the broker has noticed
        found = set()
        while found != ids:
            self.assertLess(time.monotonic(), deadline, len(found))
            found = {each["message_id"] for queue in (self.other, self.dead)
                     for each in self.parked(queue)}

    def test_purge_wants_to_be_told_twice(self):
        self.post("a", "b")
        code, out, err = self.dlq("purge", self.dead)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("throws away 2 messages for good; say --yes", err)
        self.assertEqual(len(self.parked(self.dead)), 2)
        self.assertEqual(self.ask("purge", self.dead, "--yes"),
                         "purged 2 messages\n")
        self.assertEqual(self.parked(self.dead), [])

    def test_what_is_not_there(self):
        for command in ("list", "show", "replay", "purge"):
            code, out, err = self.dlq(command, "nowhere")
            self.assertEqual((code, out), (1, ""))
            self.assertEqual(err, f"rookery dlq {command}: there is no queue "
                             '"nowhere"')
        for command in ("list", "show", "replay", "purge"):
            code, out, err = self.dlq(command, self.dead)
            self.assertEqual((code, out), (0, ""))
            self.assertEqual(err, f"rookery dlq {command}: nothing is parked "
                             f'in "{self.dead}"')


class NoBroker(unittest.TestCase):

    def test_no_broker(self):
        code, out, err = run("dlq", "--broker", "127.0.0.1:1", "--timeout",
                             "0.5", "list", "dead")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, "^rookery dlq list: broker 127.0.0.1:1: the "
                         "broker cannot be reached .*refused")

    def test_a_broker_that_hangs_up(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            where = "127.0.0.1:" + str(server.getsockname()[1])
            client = Node("--broker", where, "--timeout", "3", "list",
                          "dead", command="dlq")
            self.addCleanup(client.discard)
            while client.child.poll() is None:
                server.settimeout(0.1)
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    pass
        self.assertEqual(client.end(), 1)
        self.assertRegex(client.text(), "the broker did not open the connection "
                         ".*; trying on")

    def test_a_login_that_is_refused(self):
        broker = Node("--roles", "broker", "--listen", "127.0.0.1:0")
        self.addCleanup(broker.discard)
        client = Node("--broker", broker.wait_ready(), "--user", "a",
                      "--password", "b", "list", "q", command="dlq")
        self.addCleanup(client.discard)
        client.wait_for("Authentication failed.*; trying on$")
        self.assertEqual(client.end(), 1)

    def test_a_broker_sees_no_loss_in_a_command_that_found_nothing(self):
        broker = Node("--roles", "broker", "--listen", "127.0.0.1:0")
        self.addCleanup(broker.discard)
        listens = broker.wait_ready()
        code, _, _ = run("dlq", "--broker", listens, "list", "nosuch")
        self.assertEqual(code, 1)
        self.assertEqual(broker.stop(), 0)
        self.assertNotIn("event=client-gone", broker.text())

    def test_a_broker_that_starts_is_waited_for(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            where = "127.0.0.1:" + str(free.getsockname()[1])
        client = Node("--broker", where, "list", "dead", command="dlq")
        self.addCleanup(client.discard)
        client.wait_for("cannot be reached .*; trying on$")
        broker = Node("--roles", "broker", "--listen", where)
        self.addCleanup(broker.discard)
        client.wait_for('there is no queue "dead"$')
        self.assertEqual((client.end(), broker.stop()), (1, 0))

    def test_mistakes_on_the_command_line(self):
        for arguments, words in (([], "say one of list, show, replay"),
                                 (["list"], "QUEUE is required"),
                                 (["list", "x", "--max", "0"], "--max"),
                                 (["--bury"], "not expected: --bury"),
                                 (["bury", "x"],
                                  "'bury' is not one of list, show, replay")):
            code, out, err = run("dlq", *arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertIn(words, err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
