#!/usr/bin/env python3
"""Deletes at a broker all that the service declares there."""
from proton_client import Peer

SHARDS, PARTITIONS = 8, 2

queues = [f"tweet.{i}-of-{PARTITIONS}" for i in range(PARTITIONS)]
queues += [f"{what}.{i}-of-{SHARDS}"
           for what in ("follow", "shard") for i in range(SHARDS)]
queues += [f"agreed.{what}" for what in ("layout", "tweets-store",
                                         "follows-store")]
with Peer() as peer:
    for path in ["/exchanges/rookery.tweets",
                 *(f"/queues/rookery.{name}" for name in queues)]:
        status, body = peer.management.ask("DELETE", path)
        assert status in ("200", "204"), (path, status, body)
