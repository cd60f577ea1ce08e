"""Rows about one stream of messages, and one question at a time."""
import os
import subprocess

from . import brokers
from .brokers import RabbitMQ
from .process import Program, Trouble, free_port, wait_for_all
from .row import Contestant, Row
from .settings import BUILD, ROOT, program

COLUMNS = [("rate", "messages/s", ",.0f"),
           ("cpu", "CPU s per million, all", ".2f"),
           ("broker_cpu", "of it the broker", ".2f"),
           ("peak", "peak MiB, all", ",.0f")]
WARM_UP = 2_000  # questions that are not timed


def stream(broker, receiver, sender):
    """Runs both ends, through a broker or (None) directly, until the receiver
    has all. `sender` starts the other end."""
    with receiver:
        receiver.wait_ready()
        with sender() as sends:
            wait_for_all(receiver, sends)
            result = receiver.result()
            numbers = used(broker, result["count"], receiver, sends)
    return {"rate": result["count"] / result["seconds"], **numbers}


def used(broker, messages, *ended):
    """What all processes together have used."""
    millions = messages / 1e6
    cpu = sum(x.cpu for x in ended)
    peak = sum(x.peak for x in ended)
    if not broker:
        return {"cpu": cpu / millions, "peak": peak}
    broker_cpu, broker_peak = broker.used()
    return {"broker_cpu": broker_cpu / millions,
            "cpu": (cpu + broker_cpu) / millions, "peak": peak + broker_peak}


def tell_through(broker, source, count):
    ends = ("127.0.0.1", broker.port, count)
    return stream(broker, broker.client("tell", "sink", *ends),
                  lambda: broker.client("tell", source, *ends))


def rookery_tell(source, count):
    with brokers.embedded() as broker:
        return tell_through(broker, source, count)


def basp_tell(count):
    port = free_port()
    return stream(None, Program(program("basp"), "sink", port, count),
                  lambda: Program(program("basp"), "source", port, count))


def erlang_tell(count):
    beams = os.path.join(BUILD, "bench", "erlang")
    os.makedirs(beams, exist_ok=True)
    done = subprocess.run(
        ["erlc", "-o", beams, os.path.join(ROOT, "bench/peers/tell.erl")],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble("erlc failed: " + done.stdout + done.stderr)
    port = free_port()
    place = {"ERL_EPMD_PORT": str(port), "HOME": beams,
             "ERL_CRASH_DUMP_SECONDS": "0"}

    def node(name, *call):
        return Program("erl", "-noshell", "-start_epmd", "false", "-sname",
                       f"{name}-{port}@localhost", "-setcookie", "bench",
                       "-pa", beams, "-s", "tell", *call, environment=place)
    with Program("epmd", "-port", port, "-address", "127.0.0.1") as names:
        names.wait_port(port)
        return stream(None, node("sink", "sink", count),
                      lambda: node("source", "source",
                                   f"sink-{port}@localhost", count))


def raw_tell(broker, count, address):
    """The same client of ours, on our own loop, for all brokers."""
    ends = ("127.0.0.1", broker.port, count, address)
    return stream(broker, broker.client("raw", "recv", *ends),
                  lambda: broker.client("raw", "send", *ends))


def proton_tell(broker, count, address):
    """Proton's own client, for all brokers."""
    ends = (f"127.0.0.1:{broker.port}", count, address)
    return stream(broker, broker.client("proton_client", "recv", *ends),
                  lambda: broker.client("proton_client", "send", *ends))


def within(broker, run, *arguments):
    def measure():
        with broker() as running:
            return run(running, *arguments)
    return measure


def tell_row(x):
    return Row(
        "tell", "`tell`: 140-byte Protobuf, at least once",
        f"{x.tell:,} messages from an actor in one process to an actor in "
        "another. Rookery: through the embedded broker in a third process, "
        "each message kept until the broker has it, settled after the handler; "
        "`packs`: the handle has `send_options::pack`. "
        "BASP and Erlang: direct TCP, nothing is acknowledged. The clock runs "
        "from the receiver's first message to its last.",
        [Contestant("Rookery", lambda: rookery_tell("source", x.tell),
                    ours=True),
         Contestant("Rookery, packs", lambda: rookery_tell("packs", x.tell),
                    ours=True),
         Contestant("CAF's BASP", lambda: basp_tell(x.tell)),
         Contestant("Erlang's distribution", lambda: erlang_tell(x.tell))],
        lambda row: [row.judge_ratio("rate, x BASP", "Rookery", "CAF's BASP",
                                     "rate", 0.8, 2)],
        COLUMNS, "rate")


def broker_row(x):
    rabbit = RabbitMQ.missing()
    queue = "/queues/bench.tell"
    kinds = [("embedded broker", brokers.embedded, queue, None),
             ("Proton's example broker", brokers.proton_example, queue, None),
             ("RabbitMQ 4 classic", lambda: brokers.rabbitmq(False),
              "/queues/bench.classic.tell", rabbit),
             ("RabbitMQ 4 quorum", lambda: brokers.rabbitmq(True), queue,
              rabbit)]
    contestants = []
    for client, run in (("own loop", raw_tell), ("Proton client", proton_tell)):
        for name, broker, address, missing in kinds:
            count = x.raw if broker is brokers.embedded else x.raw_slow
            contestants.append(Contestant(
                f"{name}, {client}", within(broker, run, count, address),
                missing, ours=broker is brokers.embedded))
    ours, example = ("embedded broker, own loop",
                     "Proton's example broker, own loop")
    return Row(
        "broker", "Brokers: the same clients for all",
        f"140 bytes, one message a transfer, each accepted before it counts, "
        f"one queue, one publisher, one consumer with credit 1,000. "
        f"{x.raw:,} messages through the embedded broker, {x.raw_slow:,} "
        "through the others. `own loop` is a client on bridge/amqp without "
        "actors, `Proton client` one on proton::container. Proton's example "
        "broker is bench/peers/proton_broker.cpp, built as the one among "
        "Proton's C++ examples is.",
        contestants,
        lambda row: [
            row.judge_ratio("rate, x Proton's example broker", ours, example,
                            "rate", 8, 12),
            row.judge_ratio("CPU of Proton's example broker, x ours", ours,
                            example, "broker_cpu", 8, 12, inverse=True)],
        COLUMNS, "rate")


def tell_rabbitmq_row(x):
    missing = RabbitMQ.missing()
    quorum = lambda: brokers.rabbitmq(True)  # noqa: E731
    return Row(
        "tell-rabbitmq", "`tell` through RabbitMQ 4, quorum queue",
        f"{x.tell_rabbitmq:,} messages, as in the first row, {x.tell:,} in "
        "packs; beside it Proton's own client, one message a transfer.",
        [Contestant("Rookery, packs",
                    within(quorum, tell_through, "packs", x.tell), missing,
                    ours=True),
         Contestant("Rookery",
                    within(quorum, tell_through, "source", x.tell_rabbitmq),
                    missing, ours=True),
         Contestant("raw Proton", within(quorum, proton_tell, x.tell_rabbitmq,
                                         "/queues/bench.tell"), missing)],
        lambda row: [row.judge_ratio("packs: rate, x raw Proton",
                                     "Rookery, packs", "raw Proton", "rate", 3,
                                     10)],
        COLUMNS, "rate")


def ask_actors(broker, count):
    ends = ("127.0.0.1", broker.port, count)
    return stream_of_asks(broker, broker.client("tell", "echo", *ends),
                          lambda: broker.client("tell", "ask", *ends))


def ask_raw(broker, count):
    ends = ("127.0.0.1", broker.port, count, "/queues/bench.ask",
            "/queues/bench.reply")
    return stream_of_asks(broker, broker.client("raw", "echo", *ends),
                          lambda: broker.client("raw", "ask", *ends))


def stream_of_asks(broker, echo, ask):
    with echo:
        echo.wait_ready()
        with ask() as asks:
            wait_for_all(asks, echo)
            result = asks.result()
            numbers = used(broker, result["count"] + WARM_UP, asks, echo)
    return {"p50": result["p50_us"], "p99": result["p99_us"],
            "p999": result["p999_us"], **numbers}


def ask_row(x):
    return Row(
        "ask", "`ask`, one in flight, through the embedded broker",
        f"{x.asks:,} questions of 140 bytes, each sent when the last was "
        "answered, after 2,000 to warm up. Rookery: from actor to actor and "
        "back; beside it two clients on the same loop without actors, which "
        "send one message for each they get.",
        [Contestant("Rookery", within(brokers.embedded, ask_actors, x.asks),
                    ours=True),
         Contestant("raw request/response",
                    within(brokers.embedded, ask_raw, x.asks))],
        lambda row: [row.judge_ratio("p50, x raw", "Rookery",
                                     "raw request/response", "p50", 2, 1.2,
                                     less_is_better=True)],
        [("p50", "p50 us", ".0f"), ("p99", "p99 us", ".0f"),
         ("p999", "p99.9 us", ".0f"), ("cpu", "CPU s per million", ".1f"),
         ("peak", "peak MiB, all", ",.0f")], "p50")
