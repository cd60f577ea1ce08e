"""Rows about the service as a whole."""
from .fan_out_rows import redis_fan_out
from .row import Contestant, Row
from .service import Service

OURS = "Rookery, 3 roles + broker"
OVERLOAD = 50_000     # tweets a second: more than is ever taken
SHARE = 0.7           # of what was taken, for latencies
STORM_SHARE = 0.35    # the same, where a celebrity needs the rest


def numbers_of(result, used, peak):
    latency = result["post_to_timeline_ms"]
    return {"tweets": result["tweets_per_second"],
            "rate": result["deliveries_per_second"],
            "cpu": sum(used.values()) / max(result["deliveries"], 1) * 1e6,
            "peak": peak, "p50": latency["p50"], "p99": latency["p99"],
            "p999": latency["p999"],
            **{f"cpu_{name}": value / max(result["deliveries"], 1) * 1e6
               for name, value in used.items()}}


def capacity(x):
    service = Service.get(x)
    return numbers_of(*service.measure_load(OVERLOAD, x.service_seconds))


def capacity_row(x):
    return Row(
        "service", "Fan-out by the service",
        f"{x.service_users:,} users who follow 75 in the mean, all timelines "
        "complete. Four processes (broker, tweet, follower, fanout) and the "
        f"load client, which offers {OVERLOAD:,} tweets a second for "
        f"{x.service_seconds} s and has at most 10,000 without an answer. Every "
        "tweet is on disk before it is answered. Deliveries per second are "
        "counted until the backlog is done. Beside it Redis: a Lua script that "
        "does LPUSH and LTRIM for 75 random followers of "
        f"{x.users:,}, {x.redis_tweets:,} tweets in pipelines of 50, no "
        "persistence, no tweets, no graph.",
        [Contestant(OURS, lambda: capacity(x)),
         Contestant("Redis, LPUSH + LTRIM", lambda: redis_fan_out(x))],
        lambda row: [row.judge_median("deliveries/s", OURS, "rate", 350e3,
                                      1.41e6)],
        [("rate", "deliveries/s", ",.0f"), ("tweets", "tweets/s", ",.0f"),
         ("cpu", "CPU s per million deliveries, all", ".2f"),
         ("cpu_tweet", "tweet", ".2f"), ("cpu_broker", "broker", ".2f"),
         ("cpu_fanout", "fanout", ".2f"), ("cpu_load", "load client", ".2f"),
         ("peak", "peak MiB, all", ",.0f")], "rate", rounds_max=5)


def latency_rows(x, taken):
    """@param taken: gives the tweets a second of the row above, or None"""

    def ordinary(share):
        service = Service.get(x)
        tweets = taken() or 1_000
        return numbers_of(*service.measure_load(share * tweets,
                                                x.service_seconds))

    def alone():
        with Service.get(x).celebrity(x.celebrity_tweets, 1) as posts:
            result = posts.result(240)
            return {"p50": result["p50_ms"], "p99": result["p99_ms"],
                    "count": result["count"]}

    def storm():
        # From before the load until after it: one celebrity tweet a second.
        service = Service.get(x)
        with service.celebrity(4 * x.service_seconds + 60, 1):
            return ordinary(STORM_SHARE)

    row = Row(
        "latency", "From post to the last timeline",
        f"From the moment a tweet was due. Ordinary: as above, at {SHARE:.0%} "
        "of the tweets a second that were taken there, Poisson arrivals. "
        f"Celebrity: {x.celebrity_followers:,} followers, "
        f"{x.celebrity_tweets} tweets, one a second, nothing else. Storm: "
        f"{STORM_SHARE:.0%} of the ordinary load, without and with one tweet of "
        "the celebrity each second (its own are fewer than 1 % of all).",
        [Contestant("ordinary, 70 % load", lambda: ordinary(SHARE)),
         Contestant("ordinary, 35 % load", lambda: ordinary(STORM_SHARE)),
         Contestant("ordinary, 35 % load + storm", storm),
         Contestant("celebrity alone", alone)],
        lambda row: [
            row.judge_median("ordinary at 70 % load, p99 ms",
                             "ordinary, 70 % load", "p99", 1000, 50, True,
                             ",.1f"),
            row.judge_median("celebrity, p99 ms", "celebrity alone", "p99",
                             5000, 250, True, ",.1f"),
            row.judge_ratio("p99 with / without a storm",
                            "ordinary, 35 % load + storm",
                            "ordinary, 35 % load", "p99", 2, 1.1, True)],
        [("p50", "p50 ms", ",.1f"), ("p99", "p99 ms", ",.1f"),
         ("p999", "p99.9 ms", ",.1f"), ("tweets", "tweets/s", ",.0f"),
         ("rate", "deliveries/s", ",.0f")], "p99", rounds_max=2)
    return row
