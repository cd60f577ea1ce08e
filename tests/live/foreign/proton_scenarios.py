#!/usr/bin/env python3
"""What a program on Qpid Proton's Python binding sees of a broker and of the
service behind it: one scenario a run, `proton_scenarios.py SCENARIO`, told in
lines. The same as rhea_scenarios.js; foreign_test.py says what they should
tell."""
import struct
import sys

from proton import Endpoint, Message
from proton.handlers import MessagingHandler
from proton.utils import ConnectionClosed, LinkDetached
from proton_client import Peer, unique

MESSAGE_BYTES_MAX = 16 << 20


def partition_of(user, count):
    """docs/PROTOCOL.md: which of `count` partitions or shards has a user."""
    x = (user + 0x9e3779b97f4a7c15) % 2**64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9 % 2**64
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb % 2**64
    return (x ^ (x >> 31)) % count


def fixed64(field, value):
    return struct.pack("<BQ", field << 3 | 1, value)


def varint(value):
    result = b""
    while value > 127:
        result += bytes([value & 127 | 128])
        value >>= 7
    return result + bytes([value])


def text(field, value):
    content = value.encode()
    return varint(field << 3 | 2) + varint(len(content)) + content


def fields(message):
    """The fields of a Protobuf message in their order, as (number, value)."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            value = number()
        elif key & 7 == 1:
            value = struct.unpack_from("<Q", message, at)[0]
            at += 8
        else:
            length = number()
            value = message[at:at + length]
            at += length
        yield key >> 3, value


def outcome(delivery):
    return str(delivery.remote_state).lower()


def send(sender, body, **properties):
    """Sends, and waits for the outcome."""
    message = Message(body=body, inferred=isinstance(body, bytes), **properties)
    return outcome(sender.send(message, error_states=[]))


def take(receiver):
    message = receiver.receive()
    receiver.accept()
    return message


class Service:
    def __init__(self, peer):
        self.reply_to = peer.own_queue("replies")
        self.replies = peer.connection.create_receiver(self.reply_to, credit=10)
        self.sender = peer.connection.create_sender(None)

    def ask(self, queue, kind, body):
        """Asks whoever serves the queue; short name and fields of the answer."""
        request = unique("request")
        send(self.sender, body, id=request, address=f"/queues/rookery.{queue}",
             reply_to=self.reply_to, subject=f"rookery.service.v1.{kind}",
             content_type="application/protobuf")
        answer = take(self.replies)
        self.replies.flow(1)
        assert answer.correlation_id == request, answer
        return answer.subject.split(".")[-1], list(fields(answer.body))


def tweet(peer):
    service = Service(peer)

    def at(what, user, count):
        return f"{what}.{partition_of(user, count)}-of-{count}"

    def post(words):
        return service.ask(at("tweet", 3, 2), "PostTweetRequest",
                           fixed64(1, 3) + text(2, words))

    def tell(kind, found):
        print(kind, *(x.decode() if isinstance(x, bytes) else x
                      for _, x in found))

    tell(*service.ask(at("follow", 1, 8), "FollowRequest",
                      fixed64(1, 1) + fixed64(2, 3)))
    tell(*post("Hello"))
    _, home = service.ask(at("shard", 1, 8), "HomeTimelineRequest",
                          fixed64(1, 1))
    for _, each in home:
        (_, number), (_, author), (_, words) = fields(each)
        print(f"{number}\t{author}\t{words.decode()}")
    tell(*post(""))


def nowhere(peer):
    service = Service(peer)
    writer = f"tweet.{partition_of(5, 2)}-of-2"
    body = fixed64(1, 5) + text(2, "Hello")
    for reply_to in ("nowhere", "/queues/", "/queues/a/b", "/queues/%zz",
                     "/queues/%FF%FE", "/queues/%00", "/queues/" + "x" * 300,
                     "/exchanges/amq.rabbitmq.trace/x"):
        print("sent", send(service.sender, body, id=unique("request"),
                           address=f"/queues/rookery.{writer}",
                           reply_to=reply_to,
                           subject="rookery.service.v1.PostTweetRequest",
                           content_type="application/protobuf"))
    print(service.ask(writer, "PostTweetRequest", body)[0])


def queue(peer):
    name = "/queues/" + unique("queue")
    terms = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
    for _ in range(2):
        print("declared", peer.management.ask("PUT", name, terms)[0])
    sender = peer.connection.create_sender(name)
    for body in "abc":
        print("sent", send(sender, body, durable=True))
    print("holds", peer.held(name))
    receiver = peer.connection.create_receiver(name, credit=10)
    for _ in range(3):
        print("received", take(receiver).body)
    sender.close()
    receiver.close()
    print("deleted", peer.management.ask("DELETE", name)[0])


def fanout(peer):
    name = unique("exchange")

    def ask(what, *request):
        print(what, peer.management.ask(*request)[0])

    ask("declared", "PUT", f"/exchanges/{name}",
        {"type": "fanout", "arguments": {}})
    sender = peer.connection.create_sender(f"/exchanges/{name}")
    print("sent", send(sender, "to nobody"))
    receivers = []
    for _ in range(2):
        address = peer.own_queue("queue")
        receivers.append(peer.connection.create_receiver(address, credit=1))
        ask("bound", "POST", "/bindings",
            {"source": name, "destination_queue": address.split("/")[-1],
             "binding_key": "", "arguments": {}})
    print("sent", send(sender, "to all"))
    for receiver in receivers:
        print("received", take(receiver).body)
    ask("deleted", "DELETE", f"/exchanges/{name}")


def request(peer):
    questions, replies = peer.own_queue("questions"), peer.own_queue("replies")
    server = peer.connection.create_receiver(questions, credit=1)
    asker = peer.connection.create_receiver(replies, credit=1)
    out = peer.connection.create_sender(None)
    send(out, "louder", address=questions, reply_to=replies, id=7)
    question = take(server)
    send(out, question.body.upper(), address=question.reply_to,
         correlation_id=question.id)
    answer = take(asker)
    print("answer", answer.body, "to", answer.correlation_id)


def drain(peer):
    address = peer.own_queue("queue")
    sender = peer.connection.create_sender(address)
    for body in "ab":
        send(sender, body)
    receiver = peer.connection.create_receiver(address, credit=0)
    receiver.drain(5)
    peer.connection.wait(lambda: receiver.credit == 0)
    came = [take(receiver).body for _ in range(len(receiver.fetcher.incoming))]
    print("drained", *came)
    send(sender, "c")
    receiver.drain_mode = False
    receiver.flow(1)
    print("then", take(receiver).body)


def refusal(peer, sender, body):
    """What ends when this is sent, and why."""
    delivery = sender.link.send(Message(body=body, inferred=True))
    session = sender.link.session
    try:  # blocking calls notice the end of a link or connection only
        peer.connection.wait(lambda: delivery.settled
                             or session.state & Endpoint.REMOTE_CLOSED)
    except (LinkDetached, ConnectionClosed) as error:
        what = "sender" if isinstance(error, LinkDetached) else "connection"
        return what, error.condition
    if delivery.settled:
        return "nothing", outcome(delivery)
    return "session", session.remote_condition.name


def large(peer):
    address = peer.own_queue("queue")
    sender = peer.connection.create_sender(address)
    small = Message(body=bytes(1 << 16), inferred=True)
    most = MESSAGE_BYTES_MAX - (len(small.encode()) - (1 << 16))
    receiver = peer.connection.create_receiver(address, credit=1)
    print("sent", send(sender, b"x" * most))
    print("intact", str(take(receiver).body == b"x" * most).lower())
    print("one more byte:", *refusal(peer, sender, b"x" * (most + 1)))
    with Peer() as other:
        sender = other.connection.create_sender(other.own_queue("queue"))
        print("others", send(sender, "a"))


class Stream(MessagingHandler):
    """Sends numbers and receives them, both as fast as credit allows."""

    def __init__(self, count, credit):
        super().__init__(prefetch=credit)
        self.count = count
        self.sent = 0
        self.outcomes = []
        self.received = []

    def on_sendable(self, event):
        while event.sender.credit and self.sent < self.count:
            event.sender.send(Message(body=self.sent))
            self.sent += 1

    def on_settled(self, event):
        self.outcomes.append(outcome(event.delivery))

    def on_message(self, event):
        self.received.append(event.message.body)


def order(peer, credit):
    count = 10000
    address = peer.own_queue("queue")
    stream = Stream(count, int(credit))
    # Whoever drops them drops their handler, too.
    links = [peer.connection.create_receiver(address, credit=0, handler=stream),
             peer.connection.create_sender(address, handler=stream)]
    peer.connection.wait(lambda: len(stream.received) >= count
                         and len(stream.outcomes) >= count)
    print("outcomes", *set(stream.outcomes))
    print("received", len(stream.received), "in order",
          str(stream.received == list(range(count))).lower())
    print("left", peer.held(address))


SCENARIOS = {f.__name__: f for f in (tweet, nowhere, queue, fanout,
                                     request, drain, large, order)}


def main():
    with Peer() as peer:
        SCENARIOS[sys.argv[1]](peer, *sys.argv[2:])


if __name__ == "__main__":
    main()
