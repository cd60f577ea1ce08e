#!/usr/bin/env python3
"""Posts tweets to one queue, as nobody in particular:
post_to.py QUEUE ID... The author of the first is 1, and so on; ID "garbage" is
a body that is no tweet. Prints the outcome of each."""
import struct
import sys

from proton import Message
from proton_client import Peer

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

queue, *ids = sys.argv[1:]
with Peer() as peer:
    sender = peer.connection.create_sender(f"/queues/{queue}")
    for author, name in enumerate(ids, 1):
        body = struct.pack("<BQ", 0x09, author) + b"\x12\x02hi"
        message = Message(
            id=name, subject="rookery.service.v1.PostTweetRequest",
            content_type="application/protobuf", inferred=True, durable=True,
            properties={"traceparent": TRACEPARENT, "mine": 5},
            body=b"\xff" if name == "garbage" else body)
        delivery = sender.send(message, error_states=[])
        print(name, str(delivery.remote_state).lower())
