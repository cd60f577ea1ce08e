"""Rows about fan-out in one process."""
import random
import socket
import time

from .process import Program, Trouble, free_port
from .row import Contestant, Row
from .settings import SEED, program

OURS = "Rookery's shard"


def in_process(kind, x):
    with Program(program("fan_out"), kind, x.users, x.tweets, SEED) as runs:
        result = runs.result(300)
        return {"rate": result["count"] / result["seconds"],
                "deliveries": result["count"], "peak": runs.peak}


def fan_out_row(x):
    return Row(
        "fan-out", "Fan-out in process, one thread",
        f"A power-law graph from seed {SEED}: {x.users:,} users who follow 75 "
        f"in the mean; {x.tweets:,} tweets by users drawn evenly, in batches "
        "of 64 rows as the writer publishes them, into complete timelines of "
        "one shard. Beside it the least any fan-out does: one append to a ring "
        "of 800 ids for each follower. The shard also serves the author's own "
        "timeline. Setting up is not timed.",
        [Contestant(OURS, lambda: in_process("shard", x), ours=True),
         Contestant("ring append alone", lambda: in_process("rings", x))],
        lambda row: [row.judge_median("deliveries/s/core", OURS, "rate", 1e6,
                                      3e6)],
        [("rate", "deliveries/s", ",.0f"), ("deliveries", "deliveries", ",.0f"),
         ("peak", "peak MiB", ",.0f")], "rate", rounds_max=3)


def memory(x):
    with Program(program("shard_memory"), x.users) as runs:
        return runs.result(300)


def memory_row(x):
    def judge(row):
        found = [("full_timeline", "bytes of a full timeline", 8000, 6600),
                 ("idle_user", "bytes of an idle user", 128, 64),
                 ("celebrity_job", "bytes of a celebrity's job", 1000, 256)]
        return [row.judge_median(what, OURS, metric, floor, target,
                                 less_is_better=True)
                for metric, what, floor, target in found]
    return Row(
        "memory", "Memory of a shard",
        f"Bytes the allocator gave out. Idle: each of {x.users:,} users who "
        "follow one other and have read nothing, the edge included. Full: each "
        "of 1,000 timelines after 800 tweets. Job: each of 4,000 tweets of "
        f"somebody with {x.users:,} followers that wait to be expanded.",
        [Contestant(OURS, lambda: memory(x), ours=True)],
        judge,
        [("full_timeline", "full timeline", ",.0f"),
         ("idle_user", "idle user", ",.1f"),
         ("celebrity_job", "celebrity's job", ",.0f")], rounds_max=1)


FOLLOWERS = 75
PIPELINE = 50
SCRIPT = ("for i=2,#ARGV do redis.call('LPUSH','t:'..ARGV[i],ARGV[1]) "
          "redis.call('LTRIM','t:'..ARGV[i],0,799) end return 1")


def command(*words):
    """As the Redis protocol has it."""
    parts = [str(x).encode() for x in words]
    return b"*%d\r\n" % len(parts) + b"".join(
        b"$%d\r\n%s\r\n" % (len(x), x) for x in parts)


def redis_fan_out(x):
    """A Lua script that does LPUSH and LTRIM for each follower of a tweet;
    requests are encoded before the clock runs. This process is its client."""
    chance = random.Random(SEED)
    port = free_port()
    with Program("redis-server", "--port", port, "--bind", "127.0.0.1",
                 "--save", "", "--appendonly", "no", "--dir", "/tmp") as runs:
        runs.wait_port(port)
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            answers = client.makefile("rb")
            client.sendall(command("SCRIPT", "LOAD", SCRIPT))
            answers.readline()
            digest = answers.readline().strip().decode()
            tweets = [command("EVALSHA", digest, 0, i,
                              *(chance.randrange(x.users)
                                for _ in range(FOLLOWERS)))
                      for i in range(x.redis_tweets)]
            batches = [b"".join(tweets[i:i + PIPELINE])
                       for i in range(0, len(tweets), PIPELINE)]
            before, own_before = runs.usage()[0], time.process_time()
            seconds = pipelined(client, answers, batches, len(tweets))
            own = time.process_time() - own_before
            cpu, peak = runs.usage()
        deliveries = len(tweets) * FOLLOWERS
        return {"rate": deliveries / seconds, "tweets": len(tweets) / seconds,
                "cpu": (cpu - before + own) / deliveries * 1e6,
                "cpu_load": own / deliveries * 1e6, "peak": peak}


def pipelined(client, answers, batches, count):
    """Sends the batches, two of them ahead of the answers; returns seconds."""
    begin = time.monotonic()
    ahead = 2
    for batch in batches[:ahead]:
        client.sendall(batch)
    for got in range(1, count + 1):
        if answers.readline() != b":1\r\n":
            raise Trouble("Redis did not answer as expected")
        if got % PIPELINE == 0 and got // PIPELINE + ahead <= len(batches):
            client.sendall(batches[got // PIPELINE + ahead - 1])
    return time.monotonic() - begin
