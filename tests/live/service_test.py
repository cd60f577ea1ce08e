#!/usr/bin/env python3
"""The whole service in real processes: what users do, what the oracle says,
and that the oracle can say no."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from rookery_process import PROGRAM, SECONDS, Node, Service, numbers, run

ROOT = pathlib.Path(__file__).parents[2]
CONFIGS = ROOT / "nodes" / "configs"


class OneProcess(unittest.TestCase):
    """`--roles all`, and every command of a user."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.service = Service("--store", cls.directory.name + "/store")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.addClassCleanup(cls.service.__exit__, None)
        cls.service.start("all")

    @classmethod
    def tearDownClass(cls):
        assert cls.service.stop() == [0]

    def refuse(self, message, *arguments):
        code, out, err = self.service.run(*arguments)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, message)

    def test_a_tweet_crosses(self):
        ask = self.service.ask
        self.assertEqual(ask("follow", "1", "2"), "followed")
        self.assertEqual(ask("follow", "1", "2"),
                         "nothing to change: followed already, or oneself")
        tweet = ask("post", "2", "Hello,", "rookery")
        own = ask("post", "1", "Hi")
        self.assertEqual(ask("timeline", "1").splitlines(),
                         [f"{own}\t1\tHi", f"{tweet}\t2\tHello, rookery"])
        self.assertEqual(ask("timeline", "1", "--max-id", tweet),
                         f"{tweet}\t2\tHello, rookery")
        self.assertEqual(ask("timeline", "1", "--since-id", tweet),
                         f"{own}\t1\tHi")
        self.assertEqual(ask("timeline", "1", "--own", "--json"),
                         f'{{"id":"{own}","author":"1","text":"Hi"}}')
        self.assertEqual(ask("delete", "2", tweet), "deleted")
        self.assertEqual(ask("delete", "2", tweet), "no such tweet")
        self.assertEqual(ask("unfollow", "1", "2"), "unfollowed")
        self.assertEqual(ask("timeline", "1"), f"{own}\t1\tHi")

    def test_verify_is_told_of_another_layout(self):
        code, out, err = self.service.run(
            "verify", "--store", self.directory.name + "/store",
            "--shards", "3")
        self.assertEqual((code, out, err), (
            2, "", "rookery verify: --shards 3: the store has 8"))

    def test_the_same_key_is_the_same_tweet(self):
        ask = self.service.ask
        first = ask("post", "3", "once", "--key", "k")
        self.assertEqual(ask("post", "3", "once", "--key", "k"), first)
        self.refuse("the idempotency key was used with another request",
                    "post", "3", "twice", "--key", "k")

    def test_an_empty_key_is_refused(self):
        code, out, err = self.service.run("post", "3", "once", "--key", "")
        self.assertEqual((code, out, err), (
            2, "", "rookery post: --key: an empty key is none"))

    def test_tweet_too_long(self):
        self.refuse("^rookery post: the text is too long .*281.*280",
                    "post", "4", "x" * 281)

    def test_a_word_in_brackets_is_a_word(self):
        ask = self.service.ask
        for words, text in ((["[sic,", "twice]"], "[sic, twice]"),
                            (["[a, b]"], "[a, b]"), (["[]"], "[]")):
            tweet = ask("post", "12", *words)
            self.assertEqual(ask("timeline", "12", "--own", "--limit", "1"),
                             f"{tweet}\t12\t{text}")

    def test_a_key_in_brackets_is_that_key(self):
        ask = self.service.ask
        first = ask("post", "13", "once", "--key", "[k]")
        self.assertEqual(ask("post", "13", "once", "--key=[k]"), first)

    def test_tweet_empty(self):
        self.refuse("^rookery post: the text is empty", "post", "4", "")

    def test_invalid_utf8(self):
        self.refuse("^rookery post: the text is not valid UTF-8",
                    "post", "4", b"\xff\xfe")

    def test_not_the_author(self):
        tweet = self.service.ask("post", "4", "mine")
        self.refuse("the tweet belongs to somebody else",
                    "delete", "5", tweet)

    def test_a_layout_that_is_not_the_service_s(self):
        self.refuse("the broker has no such queue.*--shards",
                    "follow", "1", "2", "--shards", "5")

    def test_user_that_is_no_number(self):
        for user in ("ann", "0x10", "-1", "1.5", ""):
            code, _, err = self.service.run("post", user, "hello")
            self.assertEqual(code, 2)
            self.assertRegex(err, "USER.*" + user)

    def test_digits_are_decimal(self):
        tweet = self.service.ask("post", "010", "ten")
        self.assertEqual(self.service.ask("timeline", "10", "--own"),
                         f"{tweet}\t10\tten")

    def test_no_number_is_in_no_range(self):
        code, _, err = self.service.run("timeline", "1", "--timeout", "nan")
        self.assertEqual(code, 2)
        self.assertRegex(err, "nan")

    def test_a_text_does_not_command_the_terminal(self):
        self.service.ask("post", "11", "a\x1b[1mb\x9bc")
        self.assertRegex(self.service.ask("timeline", "11"), "a .1mb c$")

    def test_an_answer_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [PROGRAM, "timeline", "1", "--broker", self.service.broker],
                stdout=full, stderr=subprocess.PIPE, timeout=30, check=False,
                env={**os.environ, **self.service.given})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, b"cannot write to standard output")

    def test_edges_are_imported_whole(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("# a graph\n20 21\n\n21 22\n")
            file.flush()
            self.assertEqual(
                self.service.ask("import-edges", file.name, "--undirected"),
                "imported 4 edges, 4 of them new")
            self.assertEqual(self.service.ask("follow", "22", "21"),
                             "nothing to change: followed already, or oneself")

    def test_malformed_edge_file(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("30 31\n30 x\n")
            file.flush()
            code, out, err = self.service.run("import-edges", file.name)
            self.assertEqual((code, out), (2, ""))
            self.assertEqual(
                err, f"rookery import-edges: {file.name}: line 2: '30 x': 'x' "
                "is not a user: a whole number, 0..18446744073709551615")
            self.assertEqual(self.service.ask("follow", "30", "31"),
                             "followed")  # so it was not imported


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.edges = directory.name + "/edges"
        pathlib.Path(cls.edges).write_text("1 2\n")

    def test_no_broker(self):
        code, out, err = run("timeline", "1", "--timeout", "0.5", "--broker",
                             "127.0.0.1:1")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, "^rookery timeline: broker 127.0.0.1:1: "
                         "there is no connection to the broker .*refused")

    def test_a_change_without_an_answer_can_be_tried_again(self):
        with tempfile.TemporaryDirectory() as directory, \
                Service("--store", directory) as service:
            service.start("broker")
            writer = service.start("tweet")
            writer.child.send_signal(signal.SIGSTOP)
            code, _, err = service.run("post", "1", "hello", "--timeout", "1")
            writer.child.send_signal(signal.SIGCONT)
            self.assertEqual(code, 1)
            key = re.search("--key (cli-[0-9a-f]{32})$", err).group(1)
            tweet = service.ask("post", "1", "hello", "--key", key)
            self.assertEqual(service.ask("timeline", "1", "--own"),
                             f"{tweet}\t1\thello")

    def test_no_service(self):
        with Service() as service:
            service.start("broker")
            for command in (["timeline", "1"], ["import-edges", self.edges]):
                code, _, err = service.run(*command, "--timeout", "2")
                self.assertEqual(code, 1)
                self.assertRegex(err, "the broker has no such queue; is the "
                                 "service running")

    def test_a_service_that_starts_is_waited_for(self):
        for roles, command, arguments, said in (
                ("tweet", "post", ["1", "hello"], r"^\d+$"),
                ("follower", "import-edges", [self.edges], "^imported 1 ")):
            with tempfile.TemporaryDirectory() as directory, \
                    Service("--store", directory) as service:
                service.start("broker")
                client = Node("--broker", service.broker, "--timeout",
                              str(SECONDS), *arguments, env=service.given,
                              command=command)
                self.addCleanup(client.discard)
                client.wait_for(r"has no such queue.* Trying on\.$")
                service.start(roles)
                client.wait_for(said)
                self.assertEqual(client.end(), 0)


class Agreement(unittest.TestCase):
    """Nodes that would split the data of others do not come up."""

    def setUp(self):
        self.stores = tempfile.TemporaryDirectory()
        self.addCleanup(self.stores.cleanup)
        self.service = Service()
        self.service.start("broker")

    def tearDown(self):
        self.assertEqual(set(self.service.stop()), {0})

    def check_refused(self, queue, *arguments):
        code, out, err = run("node", "--log-level", "error",
                             "--brokers", self.service.broker, *arguments,
                             env=self.service.given)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, f"rookery node: broker .*{queue}.*; the nodes at "
                              "this broker have another store or other numbers")

    def test_a_writer_with_a_store_of_its_own(self):
        for role, kind in ("tweet", "tweets"), ("follower", "follows"):
            ours, other = (f"{self.stores.name}/{role}-{i}" for i in (1, 2))
            self.service.start(role, "--store", ours)
            self.check_refused(f"rookery.agreed.{kind}-store",
                               "--roles", role, "--store", other)
            self.service.start(role, "--store", ours)

    def test_a_fanout_node_with_other_partitions(self):
        self.service.start("fanout")
        for flag, left in (("--tweet-partitions", "rookery.tweet.0-of-3"),
                           ("--shards", "rookery.shard.0-of-3")):
            self.check_refused("rookery.agreed.layout",
                               "--roles", "fanout", flag, "3")
            code, _, err = self.service.run("dlq", "list", left)
            self.assertEqual(code, 1)
            self.assertRegex(err, "there is no queue")

    def test_a_refused_layout_makes_no_store(self):
        self.service.start("fanout")
        store = f"{self.stores.name}/new"
        for role, flag in (("tweet", "--tweet-partitions"),
                           ("follower", "--shards")):
            self.check_refused("rookery.agreed.layout", "--roles", role,
                               "--store", store, flag, "3")
            self.assertEqual(os.listdir(store), [])
        for role in "tweet", "follower":
            self.service.start(role, "--store", store)


class Samples(unittest.TestCase):
    """The sample configurations, each in its process, as they are but for the
    port and the store."""

    def test_they_make_a_service(self):
        with tempfile.TemporaryDirectory() as directory:
            env = {"ROOKERY_STORE": directory, "ROOKERY_LISTEN": "127.0.0.1:0"}
            service = Service()
            with service:
                for name in ("broker", "tweet", "follower", "fanout-1",
                             "fanout-2"):
                    node = Node("--config", str(CONFIGS / f"{name}.conf"),
                                env=env)
                    service.nodes.append(node)
                    listens = node.wait_ready()
                    service.broker = service.broker or listens
                    env["ROOKERY_BROKERS"] = service.broker
                service.ask("follow", "1", "2")
                tweet = service.ask("post", "2", "Hello")
                self.assertEqual(service.ask("timeline", "1"),
                                 f"{tweet}\t2\tHello")
                self.assertEqual(service.stop(), [0] * 5)

    def test_all_in_one(self):
        with tempfile.TemporaryDirectory() as directory:
            node = Node("--config", str(CONFIGS / "all-in-one.conf"),
                        env={"ROOKERY_STORE": directory,
                             "ROOKERY_LISTEN": "127.0.0.1:0"})
            self.addCleanup(node.discard)
            node.wait_ready()
            self.assertEqual(node.stop(), 0)


class LoadFiles(unittest.TestCase):
    def test_what_cannot_be_written_is_told_before_the_load(self):
        for flags, words in (
                (["--journal", "/dev/full"], "journal: /dev/full is no file"),
                (["--status", "/nodir/s"],
                 "status: there is no directory /nodir"),
                (["--report", "/nodir/r"],
                 "report /nodir/r: cannot be written"),
                (["--journal", "x", "--report", "x"], "x: is to be two files")):
            self.assertEqual(run("load", *flags),
                             (2, "", "rookery load: " + words))


class Proven(unittest.TestCase):
    """A small load, and the oracle."""

    LOAD = ("--seconds", "2", "--rate", "400", "--users", "100")

    def load_and_verify(self, env=None):
        with tempfile.TemporaryDirectory() as directory:
            store, journal = directory + "/store", directory + "/journal"
            with Service("--store", store, "--timeline-cap", "16",
                         env=env) as service:
                for roles in ("broker", "tweet", "follower", "fanout",
                              "fanout"):
                    service.start(roles)
                code, _, err = service.run("load", *self.LOAD,
                                           "--journal", journal)
                self.assertEqual(code, 0, err)
                code, out, err = service.run("verify", "--store", store,
                                             "--journal", journal)
                self.assertEqual(err, "")
                self.assertEqual(service.stop(), [0] * 5)
                return code, numbers(out), out

    def test_timelines_are_right(self):
        code, found, out = self.load_and_verify()
        self.assertEqual(code, 0, out)
        self.assertEqual((found["missing"], found["mismatches"]), (0, 0), out)
        self.assertEqual((found["users"], found["timelines"]), (100, 100))
        for name in ("entries", "pushed", "pulled", "trimmed", "acked"):
            self.assertGreater(found[name], 0, out)

    def test_the_oracle_can_fail(self):
        code, found, out = self.load_and_verify({"ROOKERY_DROP_ONE": "1"})
        self.assertEqual(code, 1, out)
        self.assertEqual(found["missing"], 0, out)
        self.assertGreater(found["mismatches"], 0, out)
        self.assertRegex(out, "home of [0-9]+: 1 missing, such as [0-9]+")


class Survival(unittest.TestCase):
    def test_the_store_outlives_everything(self):
        with tempfile.TemporaryDirectory() as store:
            with Service("--store", store) as service:
                service.start("all")
                service.ask("follow", "1", "2")
                tweet = service.ask("post", "2", "kept")
                self.assertEqual(service.stop(), [0])
            with Service("--store", store) as service:
                service.start("all")
                self.assertEqual(service.ask("timeline", "1"),
                                 f"{tweet}\t2\tkept")

    def test_another_node_takes_over(self):
        with tempfile.TemporaryDirectory() as store:
            with Service("--store", store) as service:
                service.start("broker")
                first = service.start("tweet,follower,fanout")
                service.start("tweet,follower,fanout")
                service.ask("follow", "1", "2")
                before = service.ask("post", "2", "before")
                first.child.send_signal(signal.SIGKILL)
                service.nodes.remove(first)
                first.end()
                after = service.ask("post", "2", "after")
                self.assertEqual(
                    service.ask("timeline", "1").splitlines(),
                    [f"{after}\t2\tafter", f"{before}\t2\tbefore"])


class Demo(unittest.TestCase):
    """The demo itself, small, with processes killed, stopped or paused under
    load."""

    def demo(self, *arguments):
        with tempfile.TemporaryDirectory() as directory:
            demo = subprocess.Popen(
                [sys.executable, str(ROOT / "scripts" / "demo.py"), "--once",
                 "--keep", "--program", PROGRAM, "--rate", "300", "--users",
                 "200", "--timeline-cap", "16", "--patience", "60",
                 *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "TMPDIR": directory})
            self.addCleanup(demo.kill)
            try:
                said, _ = demo.communicate(timeout=200)
            except subprocess.TimeoutExpired:
                demo.terminate()  # it ends what it started
                self.fail("in 200 s: " + demo.communicate(timeout=60)[0])
            logs = [x.read_text(errors="replace")
                    for x in pathlib.Path(directory).glob("*/*.log")]
        self.assertGreaterEqual(len(logs), 5, said)
        for log in logs:  # who is killed has no exit code
            self.assertNotRegex(log, "Sanitizer|runtime error:")
        self.assertEqual(demo.returncode, 0, said)
        found = numbers(said)
        self.assertEqual((found["missing"], found["mismatches"]), (0, 0), said)
        self.assertRegex(said, "refused 0, failed 0, wrong reads 0")
        self.assertRegex(said, r"(?m)^demo: of 3 tweets more (\d+) entries were "
                         r"pushed and 0 pulled; \1 were due$")
        return said

    def test_nothing_is_lost_whoever_is_killed(self):
        roles = ("fanout", "tweet", "follower", "broker")
        said = self.demo("--seconds", "6",
                         *(x for role in roles for x in ("--kill", role)))
        for role in roles:
            self.assertRegex(
                said, f"(?m)^demo: killed {role}(-[12])? at [0-9.]+ s; "
                "(ready after [0-9.]+ s|killed again before it was ready), "
                "service whole after [0-9.]+ s; at least "
                "[0-9]+ acknowledged tweets were not applied everywhere yet$")

    def test_who_is_stopped_ends_in_order(self):
        roles = ("fanout", "tweet", "follower", "broker")
        said = self.demo("--seconds", "6",
                         *(x for role in roles for x in ("--stop", role)))
        for role in roles:
            self.assertRegex(
                said, f"(?m)^demo: stopped {role}(-[12])? at [0-9.]+ s; "
                "left after [0-9.]+ s, ready after [0-9.]+ s, "
                "service whole after [0-9.]+ s; at least [0-9]+ ")

    def test_others_take_over_from_who_is_paused(self):
        said = self.demo("--seconds", "14", "--pause", "tweet", "--tweet-nodes",
                         "2", "--pause-seconds", "10")
        taken = re.search("(?m)^demo: paused tweet-[12] at [0-9.]+ s; "
                          "taken over after ([0-9.]+) s, woken after "
                          "10[0-9.]+ s, service whole after", said)
        self.assertIsNotNone(taken, said)
        # The broker misses it after 6 s; some more for a busy machine.
        self.assertLess(float(taken.group(1)), 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
