#!/usr/bin/env python3
"""A program made with rookery::node does its work and its flags are told."""
import os
import subprocess
import tempfile
import unittest

import job_queue_jobs
from given_broker import FOREIGN, PYTHON
from rookery_process import SECONDS, Node

PROGRAM = os.environ["ROOKERY_PROGRAM_example_job_queue"]


def run(*arguments, env=None):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                          timeout=SECONDS, check=False,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


class JobQueue(unittest.TestCase):

    def test_three_workers_share_the_jobs(self):
        job_queue_jobs.check(PROGRAM)

    def test_a_boss_that_cannot_go_on_says_why(self):
        boss = Node("--roles", "boss", "--listen", "127.0.0.1:0",
                    program=PROGRAM)
        try:
            env = {**os.environ, "ROOKERY_BROKERS": boss.wait_ready()}
            subprocess.run([PYTHON, FOREIGN / "wrong_worker.py"], env=env,
                           check=True, timeout=SECONDS)
            self.assertEqual(boss.end(), 1)
            self.assertRegex(boss.text(), r"(?m)^\S+: not all were done: ")
        finally:
            boss.discard()

    def test_a_boss_whose_jobs_are_open_stops_in_order(self):
        boss = Node("--roles", "boss", "--listen", "127.0.0.1:0",
                    program=PROGRAM)
        try:
            boss.wait_ready()
            self.assertEqual(boss.stop(), 0)
            self.assertIn("event=stopped", boss.text())
        finally:
            boss.discard()

    def test_help_names_the_roles(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"(?s)--roles.*boss.*worker")

    def test_mistakes_on_the_command_line(self):
        for arguments, words in (
                ([], "--roles is required"),
                (["--roles", "king"], "king not in {boss,worker}"),
                (["--roles", "boss", "--brokers", "nowhere"],
                 "'nowhere' is not host:port (port up to 65535)"),
                (["--roles", "boss", "--brokers"], "--brokers"),
                (["--roles", "boss", "--stop-timeout-ms", "0"],
                 "--stop-timeout-ms"),
                (["--roles", "boss", "--name", "x" * 65],
                 "--name has more than 64 bytes"),
                (["--roles", "boss", "--fly"], "--fly")):
            code, out, err = run(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertIn(words, err)
            self.assertEqual(err.count("\n"), 1, err)

    def test_variables_speak_where_flags_do_not(self):
        code, _, err = run(env={"ROOKERY_ROLES": "boss",
                                "ROOKERY_BROKERS": "nowhere"})
        self.assertEqual(code, 2)
        self.assertIn("'nowhere' is not host:port (port up to 65535)", err)

    def test_no_broker(self):
        code, _, err = run("--roles", "worker", "--brokers", "127.0.0.1:1",
                           "--connect-timeout-ms", "300")
        self.assertEqual(code, 1)
        self.assertIn("Connection refused", err)

    def test_a_file_speaks_where_nobody_else_does(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("roles = boss\nbrokers = nowhere\n")
            file.flush()
            _, _, err = run("--config", file.name)
            self.assertIn("'nowhere' is not host:port (port up to 65535)", err)
            _, _, err = run("--config", file.name,
                            env={"ROOKERY_BROKERS": "elsewhere"})
            self.assertIn("'elsewhere' is not host:port (port up to 65535)", err)
            file.write("fly = high\n")
            file.flush()
            code, _, err = run("--config", file.name)
            self.assertEqual(code, 2)
            self.assertIn("line 3: fly: the configuration has no such key", err)

    def test_nowhere_to_listen(self):
        code, _, err = run("--roles", "worker", "--listen", "192.0.2.1:5672")
        self.assertEqual(code, 1)
        self.assertIn("cannot listen on 192.0.2.1 port 5672", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
