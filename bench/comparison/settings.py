"""Where programs are, and how much is done in one round."""
import os
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "release")
ROOKERY = os.path.join(BUILD, "nodes", "rookery")
SEED = 1


def program(name):
    return os.path.join(BUILD, "bench", "bin", name)


@dataclass
class Amounts:
    """Messages, users and seconds of one run of a contestant."""
    tell: int = 600_000
    tell_rabbitmq: int = 60_000
    raw: int = 400_000
    raw_slow: int = 60_000   # for brokers an order of magnitude slower
    asks: int = 10_000
    users: int = 100_000
    tweets: int = 100_000
    redis_tweets: int = 15_000
    service_users: int = 10_000
    service_seconds: int = 10
    celebrity_followers: int = 80_000
    celebrity_tweets: int = 20


QUICK = Amounts(tell=30_000, tell_rabbitmq=5_000, raw=30_000, raw_slow=5_000,
                asks=1_000, users=5_000, tweets=5_000, redis_tweets=1_000,
                service_users=1_000, service_seconds=2,
                celebrity_followers=2_000, celebrity_tweets=4)
