#!/usr/bin/env python3
"""Takes one job of the example job queue and answers with what is no result."""
from proton import Message
from proton_client import Peer

with Peer() as peer:
    jobs = peer.connection.create_receiver("/queues/jobs", credit=1)
    job = jobs.receive()
    jobs.accept()
    peer.connection.create_sender(None).send(Message(
        address=job.reply_to, correlation_id=job.id, subject="jobs.Job",
        content_type="application/protobuf", body=job.body, inferred=True))
