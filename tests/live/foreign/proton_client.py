"""What the scenarios need of AMQP, on Qpid Proton's Python binding: one
connection, and management over it. Every wait has a deadline."""
import os
import uuid

from proton import Message, symbol
from proton.reactor import LinkOption
from proton.utils import BlockingConnection

SECONDS = 60


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:12]}"


def credentials():
    """As a node's, from the environment."""
    user = os.environ.get("ROOKERY_USER")
    if not user:
        return {"allowed_mechs": "ANONYMOUS"}
    return {"allowed_mechs": "PLAIN", "user": user,
            "password": os.environ["ROOKERY_PASSWORD"]}


def url():
    return "amqp://" + os.environ["ROOKERY_BROKERS"]


class PairedLink(LinkOption):
    """One of two links with the same name that are one conversation."""

    def apply(self, link):
        link.properties = {symbol("paired"): True}
        link.snd_settle_mode = link.SND_SETTLED
        link.source.address = link.source.address or "me"
        link.target.address = link.target.address or "me"


class Management:
    """Management over AMQP: a pair of links with one name."""

    def __init__(self, connection):
        terms = {"name": "management", "options": PairedLink()}
        self.out = connection.create_sender("/management", **terms)
        self.answers = connection.create_receiver("/management", credit=10,
                                                  **terms)
        self.asked = 0

    def ask(self, method, path, body=None):
        """One request; its status, and the body of the answer."""
        self.asked += 1
        self.send(Message(id=str(self.asked), address=path, subject=method,
                          reply_to="$me", body=body))
        answer = self.answers.receive()
        self.answers.flow(1)
        return answer.subject, answer.body

    def send(self, message):
        link = self.out.link
        delivery = link.delivery(link.delivery_tag())
        # A request has a body, though it be null; Proton would leave it out.
        null = b"\0\x53\x77\x40" if message.body is None else b""
        link.stream(message.encode() + null)
        link.advance()
        delivery.settle()

    def own_queue(self, name):
        """A queue of this connection's own; its address."""
        status, _ = self.ask("PUT", f"/queues/{name}",
                             {"durable": False, "exclusive": True,
                              "auto_delete": True, "arguments": {}})
        assert status == "201", status
        return f"/queues/{name}"


class Peer:
    """A connection with management on it."""

    def __init__(self):
        self.connection = BlockingConnection(url(), timeout=SECONDS,
                                             **credentials())
        self.management = Management(self.connection)

    def own_queue(self, name):
        return self.management.own_queue(unique(name))

    def held(self, address):
        """How many messages a queue holds that nobody took."""
        return int(self.management.ask("GET", address)[1]["message_count"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
