#!/usr/bin/env python3
"""Programs on AMQP stacks that are not ours, against the embedded broker or the
one that was given: what they see of it as a broker, and of the service behind
it, by docs/PROTOCOL.md alone."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import given_broker
from given_broker import FOREIGN
from rookery_process import Service

PROTOCOL = pathlib.Path(__file__).parents[2] / "docs" / "PROTOCOL.md"
SECONDS = 90  # for one scenario; the programs give up after 60


class Scenarios:
    """What each of them should tell."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.program = cls.install()
        cls.service = Service("--store", os.path.abspath("store"))
        cls.addClassCleanup(cls.service.__exit__, None)
        cls.service.start("all")

    @classmethod
    def tearDownClass(cls):
        assert cls.service.stop() == [0]

    def tell(self, *scenario):
        """Runs a scenario; the lines it told."""
        return self.run_program(*self.program, *scenario)

    def run_program(self, *command):
        env = {**os.environ, "ROOKERY_BROKERS": self.service.broker,
               "NODE_PATH": os.path.abspath("node_modules"),
               **self.service.given}
        done = subprocess.run(command, text=True, capture_output=True,
                              timeout=SECONDS, check=False, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout.splitlines()

    def test_tweets_follows_and_reads(self):
        follow, post, *timeline, failed = self.tell("tweet")
        self.assertRegex(follow, "^FollowReply 1$")
        self.assertRegex(post, "^PostTweetReply [1-9][0-9]*$")
        self.assertEqual(timeline, [f"{post.split()[1]}\t3\tHello"])
        self.assertEqual(timeline,
                         self.service.ask("timeline", "1").splitlines())
        self.assertEqual(failed, "Error service 2")  # the text is empty

    def test_a_queue(self):
        self.assertEqual(self.tell("queue"), [
            "declared 201", "declared 200", "sent accepted", "sent accepted",
            "sent accepted", "holds 3", "received a", "received b",
            "received c", "deleted 200"])

    def test_a_fanout_exchange(self):
        self.assertEqual(self.tell("fanout"), [
            "declared 204", "sent released", "bound 204", "bound 204",
            "sent accepted", "received to all", "received to all",
            "deleted 204"])

    def test_a_request_and_its_answer(self):
        self.assertEqual(self.tell("request"), ["answer LOUDER to 7"])

    def test_drain_gives_credit_back(self):
        self.assertEqual(self.tell("drain"), ["drained a b", "then c"])

    def test_the_largest_message_and_one_byte_more(self):
        what = "session" if self.service.given else "connection"
        self.assertEqual(self.tell("large"), [
            "sent accepted", "intact true",
            f"one more byte: {what} amqp:link:message-size-exceeded",
            "others accepted"])

    def test_ten_thousand_arrive_once_and_in_order(self):
        for credit in ("10", "1000"):
            with self.subTest(credit=credit):
                self.assertEqual(self.tell("order", credit), [
                    "outcomes accepted", "received 10000 in order true",
                    "left 0"])


class Rhea(Scenarios, unittest.TestCase):
    @staticmethod
    def install():
        """Puts rhea, in the version that is pinned, into this directory."""
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FOREIGN / name, name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit",
                        "--no-fund"], check=True, timeout=SECONDS)
        return ["node", str(FOREIGN / "rhea_scenarios.js")]


class PythonProton(Scenarios, unittest.TestCase):
    @staticmethod
    def install():
        """Debian's package has it, if it is there: scripts/setup --tests."""
        subprocess.run([given_broker.PYTHON, "-c", "import proton"], check=True)
        return [given_broker.PYTHON, str(FOREIGN / "proton_scenarios.py")]

    def test_who_cannot_be_answered_silences_nobody(self):
        # RabbitMQ would end the link of all answers, or its session.
        self.assertEqual(self.tell("nowhere"), [
            *["sent accepted"] * 8, "PostTweetReply"])

    def test_the_example_in_the_documentation(self):
        text = PROTOCOL.read_text("utf-8")
        example = re.findall("```python\n(.*?)```", text, re.DOTALL)[-1]
        where = {"url": "amqp://" + self.service.broker,
                 "allowed_mechs": "ANONYMOUS"}
        if self.service.given:
            where |= {"allowed_mechs": "PLAIN",
                      "user": self.service.given["ROOKERY_USER"],
                      "password": self.service.given["ROOKERY_PASSWORD"]}
        example, count = re.subn("(?m)^where = .*$", f"where = {where}", example)
        self.assertEqual(count, 1)
        self.assertEqual(
            self.run_program(given_broker.PYTHON, "-c", example),
            ["201", "tweet-1 rookery.service.v1.PostTweetReply"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
