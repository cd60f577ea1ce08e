"""Rows about the service as a whole."""
from .fan_out_rows import redis_fan_out
from .process import Trouble
from .row import Contestant, Row
from .service import Service

OURS = "Rookery, 3 roles + broker"
OVERLOAD = 50_000     # tweets a second: more than is ever taken
SHARE = 0.7           # of what was fanned out, for latencies
STORM_SHARE = 0.35    # the same, where a celebrity needs the rest


def numbers_of(result, used, peak):
    latency = result["post_to_timeline_ms"]
    # Deliveries are counted until the backlog is done, so tweets are, too: what
    # the writer takes faster than fan-out follows is no capacity.
    loaded = result["load_seconds"]
    share = loaded / (loaded + result["drain_seconds"])
    return {"tweets": result["tweets_per_second"] * share,
            "rate": result["deliveries_per_second"],
            "cpu": sum(used.values()) / max(result["deliveries"], 1) * 1e6,
            "peak": peak, "p50": latency["p50"], "p99": latency["p99"],
            "p999": latency["p999"],
            **{f"cpu_{name}": value / max(result["deliveries"], 1) * 1e6
               for name, value in used.items()}}


def capacity(x):
    with Service.get(x) as service:
        return numbers_of(*service.measure_load(OVERLOAD, x.service_seconds))


def capacity_row(x):
    return Row(
        "service", "Fan-out by the service",
        f"{x.service_users:,} users who follow 75 in the mean, all timelines "
        "complete. Four processes (broker, tweet, follower, fanout) and the "
        f"load client, which offers {OVERLOAD:,} tweets a second for "
        f"{x.service_seconds} s and has at most 10,000 without an answer. "
        "Every tweet is on disk before it is answered. Tweets and deliveries "
        "per second are counted until the backlog is done; CPU includes what "
        "comes before the load, when the client imports the graph (in the "
        "first round it is new) and reads all home timelines. Beside it Redis: "
        "a Lua script that does LPUSH and LTRIM for 75 random followers of "
        f"{x.users:,}, {x.redis_tweets:,} tweets in pipelines of 50, no "
        "persistence, no tweets, no graph; its client's CPU is without the "
        "encoding, and its memory without the client.",
        [Contestant(OURS, lambda: capacity(x), ours=True),
         Contestant("Redis, LPUSH + LTRIM", lambda: redis_fan_out(x))],
        lambda row: [row.judge_median("deliveries/s", OURS, "rate", 350e3,
                                      1.41e6)],
        [("rate", "deliveries/s", ",.0f"), ("tweets", "tweets/s", ",.0f"),
         ("cpu", "CPU s per million deliveries, all", ".2f"),
         ("cpu_tweet", "tweet", ".2f"), ("cpu_broker", "broker", ".2f"),
         ("cpu_fanout", "fanout", ".2f"), ("cpu_load", "load client", ".2f"),
         ("peak", "peak MiB, all", ",.0f")], "rate", rounds_max=5)


def latency_rows(x, taken):
    """@param taken: gives the tweets a second of the row above, or None."""

    def ordinary(share):
        tweets = taken()
        if not tweets:
            raise Trouble("a share of what? Row `service` gave no figure")
        with Service.get(x) as service:
            service.prepare_celebrity()  # all rounds find the same timelines
            result, used, peak = service.measure_load(share * tweets,
                                                      x.service_seconds)
        for unseen in ("left_out", "completions_lost"):
            if result[unseen]:
                raise Trouble(f"latencies are missing: {unseen} is "
                              f"{result[unseen]}")
        return numbers_of(result, used, peak)

    def alone():
        with Service.get(x) as service, \
                service.celebrity(x.celebrity_tweets, 1) as posts:
            result = posts.result(240)
        if result["count"] != x.celebrity_tweets:
            raise Trouble(f"{result['count']} of {x.celebrity_tweets} tweets "
                          "were seen in all timelines")
        return {"p50": result["p50_ms"], "p99": result["p99_ms"]}

    def storm():
        # From before the load until after it: one celebrity tweet a second.
        with Service.get(x) as service, \
                service.celebrity(4 * x.service_seconds + 60, 1) as posts:
            numbers = ordinary(STORM_SHARE)
            if posts.ended():
                raise Trouble("the storm was over before the load was")
            return numbers

    row = Row(
        "latency", "From post to the last timeline",
        f"From the moment a tweet was due. Ordinary: as above, at {SHARE:.0%} "
        "of the tweets a second that were fanned out there, Poisson arrivals. "
        f"Celebrity: {x.celebrity_followers:,} followers, "
        f"{x.celebrity_tweets} tweets, one a second, nothing else; of so few, "
        "p99 is the slowest. Storm: "
        f"{STORM_SHARE:.0%} of those tweets, without and with one tweet of the "
        "celebrity each second, which counts as one among all.",
        [Contestant(name, run, ours=True) for name, run in (
            ("ordinary, 70 % load", lambda: ordinary(SHARE)),
            ("ordinary, 35 % load", lambda: ordinary(STORM_SHARE)),
            ("ordinary, 35 % load + storm", storm),
            ("celebrity alone", alone))],
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
