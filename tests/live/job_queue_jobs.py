"""The example job queue, run as its comment says: a node with the broker, two
more workers and a boss, all of them processes of their own."""
import re

from rookery_process import SECONDS, Node

JOBS = 60


def smallest_factor(number):
    factor = 2
    while factor * factor <= number:
        if number % factor == 0:
            return factor
        factor += 1
    return number


def check(program):
    """Asserts that three workers share the jobs and do each right."""
    nodes = [Node("--roles", "worker", "--name", "anna",
                  "--listen", "127.0.0.1:0", program=program)]
    try:
        broker = nodes[0].wait_ready()
        for name in ("ben", "cleo"):
            nodes.append(Node("--roles", "worker", "--name", name,
                              "--brokers", broker, program=program))
            nodes[-1].wait_ready()
        boss = Node("--roles", "boss", "--brokers", broker, program=program)
        nodes.append(boss)
        assert boss.end(2 * SECONDS) == 0, boss.text()
        results = re.findall(r"(?m)^(\d+): (\d+) \((\w+)\)$", boss.text())
        assert len(results) == JOBS, boss.text()
        for number, factor, _ in results:
            assert smallest_factor(int(number)) == int(factor), number
        assert {name for _, _, name in results} == {"anna", "ben", "cleo"}
        for node in nodes[-2::-1]:  # the broker last
            assert node.stop() == 0, node.text()
    finally:
        for node in nodes:
            node.discard()
