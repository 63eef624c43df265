#!/usr/bin/env python3
"""Random and broken requests on Subscribe streams, beside a stream that does all right: nobody else notices, the server stays up, each subscription
is begun or refused before anything else comes of it, and ends once.

  subscribe_fuzz_test.py [--streams 300] [--seed N]
"""
import argparse
import pathlib
import queue
import random
import sys
import threading
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import grpc_clients_test as clients  # noqa: E402
from halocline.v1 import ingest_pb2_grpc, queries_pb2, queries_pb2_grpc  # noqa: E402

TEXTS = ["SELECT trade_id FROM trades", "SELECT COUNT(*) FROM trades GROUP BY book", "SELECT * FROM alerts", "SELECT trader, SUM(notional) FROM trades GROUP BY trader",
         "SELECT trade_id FROM trades ORDER BY notional DESC LIMIT 3", "SELECT trade_id FROM trades WHERE quantity > $1", "SELECT notonal FROM trades", "SELECT",
         "", "DROP ALERT x", "CREATE ALERT x SEVERITY WARN AS SELECT trade_id FROM trades", "EXPLAIN SELECT trade_id FROM trades", "(" * 5000, "x" * 70_000, "SELECT '\0'",
         "SELECT " + " + ".join(["1"] * 20_000) + " FROM trades",
         "SELECT t.trade_id FROM trades t JOIN trades u ON t.book = u.book WHERE t.quantity > 900 AND u.quantity > 900"]
NAMES = ["", "", "", "fuzzed", "none", "x" * 70_000]
REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.FAILED_PRECONDITION,
            grpc.StatusCode.RESOURCE_EXHAUSTED}


def random_value(rng):
    return rng.choice([queries_pb2.QueryValue(), queries_pb2.QueryValue(int_value=rng.randrange(-2**63, 2**63)), queries_pb2.QueryValue(text_value="y" * rng.randrange(2000)),
                       queries_pb2.QueryValue(decimal_value=rng.choice(["1.5", "-", "1e9", "9" * 60, ""])), queries_pb2.QueryValue(timestamp_ns=-2**63)])


def random_request(rng):
    """-> bytes"""
    request = queries_pb2.SubscribeRequest(id=rng.choice([0, 1, 2**64 - 1, rng.randrange(1000), rng.randrange(1000)]), sql=rng.choice(TEXTS[:5] if rng.random() < 0.6 else TEXTS), name=rng.choice(NAMES) if rng.random() < 0.5 else "",
                                           at_most_every_ms=rng.choice([0, 0, 1, 50, 2**32 - 1]), end=rng.random() < 0.15)
    request.when_slow = rng.choice([0, 0, 1, 77])
    if rng.random() < 0.3:
        request.after_seq = rng.choice([0, 1, 5, 50, 10**6, 2**64 - 1])
    for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 3])):
        request.parameters[rng.choice(["1", "desk", "", "z" * 300])].CopyFrom(random_value(rng))
    data = bytearray(request.SerializeToString())
    roll = rng.random()
    if roll < 0.04 and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif roll < 0.06:
        data = data[:rng.randrange(len(data) + 1)]
    elif roll < 0.08:
        data = bytearray(rng.randbytes(rng.randrange(200)))
    return bytes(data)


class Stream:
    """One client with requests of its own making; what it is told is checked."""

    def __init__(self, address, rng):
        self.rng, self.wrong, self.begun, self.refused = rng, None, 0, 0
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        raw = self.channel.stream_stream("/halocline.v1.Queries/Subscribe", request_serializer=None,
                                         response_deserializer=queries_pb2.SubscribeMessage.FromString)
        self.requests = queue.SimpleQueue()
        self.call = raw(iter(self.requests.get, None), timeout=clients.TIMEOUT)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

        for _ in range(rng.randrange(1, 12)):
            self.requests.put(random_request(rng))

    def finish(self):
        if self.rng.random() < 0.3:
            self.call.cancel()
        self.requests.put(None)
        self.reader.join(2 * clients.TIMEOUT)
        self.channel.close()
        return self.wrong or ("it never ends" if self.reader.is_alive() else None)

    def read(self):
        live = {}  # id -> the seq told last
        try:
            for message in self.call:
                what = message.WhichOneof("what")
                if what == "ended":
                    self.refused += message.id not in live
                    live.pop(message.id, None)
                    if grpc_code(message.ended.code) not in REFUSALS or not message.ended.message:
                        self.wrong = f"ended without a reason of its own: {message}"
                elif what == "rows" and message.rows.columns:
                    live[message.id] = message.seq
                    self.begun += 1
                elif message.id not in live:
                    self.wrong = f"{what} of {message.id}, which has not begun"
                elif message.seq < live[message.id]:
                    self.wrong = f"back from {live[message.id]}: {message}"
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.CANCELLED, grpc.StatusCode.INVALID_ARGUMENT):
                self.wrong = f"the stream ended with {error.code()}: {error.details()}"


def grpc_code(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


class Steady:
    """A subscriber who does all right: what it has is the answer."""

    def __init__(self, channel):
        self.requests, self.count, self.wrong = queue.SimpleQueue(), None, None
        self.changed = threading.Condition()
        self.requests.put(queries_pb2.SubscribeRequest(id=1, sql="SELECT COUNT(*) AS n FROM trades"))
        self.call = queries_pb2_grpc.QueriesStub(channel).Subscribe(iter(self.requests.get, None))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for message in self.call:
                with self.changed:
                    for row in message.rows.rows:
                        self.count = row.row.values[0].int_value
                    for change in message.changes.changes:
                        self.count = change.after.values[0].int_value
                    self.changed.notify_all()
        except grpc.RpcError as error:
            self.wrong = error

    def wait_for(self, count):
        with self.changed:
            return self.changed.wait_for(lambda: self.count == count or self.wrong, clients.TIMEOUT) and self.wrong is None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**6)
    options = parser.parse_args()
    print(f"subscribe fuzz, seeds from {options.seed}", flush=True)
    server = clients.Server()
    try:
        channel = grpc.insecure_channel(server.address)
        clients.load_floor(channel)
        ingest = ingest_pb2_grpc.IngestStub(channel)
        list(queries_pb2_grpc.QueriesStub(channel).Query(queries_pb2.QueryRequest(sql="CREATE CONTINUOUS QUERY fuzzed AS SELECT trade_id FROM trades")))
        steady, begun, refused = Steady(channel), 0, 0
        for number in range(options.streams):
            stream = Stream(server.address, random.Random(options.seed + number))
            # Every fiftieth is for the join, whose rows are as many as its trades squared.
            quantity = clients.e8("1000" if number % 50 == 0 else "10")
            ingest.SubmitTrade(clients.trade(f"f{number}", instrument="SEEN", quantity_e8=quantity), timeout=clients.TIMEOUT)
            wrong = None if steady.wait_for(number + 1) else f"the steady subscriber has {steady.count} of {number + 1}: {steady.wrong}"
            wrong = stream.finish() or wrong
            if wrong:
                print(f"seed {options.seed + number}, --streams 1: {wrong}\n{server.output()[-2000:]}")
                return 1
            begun, refused = begun + stream.begun, refused + stream.refused
        steady.requests.put(None)
    finally:
        code = server.stop()
    if code != 0 or begun == 0 or refused == 0:
        print(f"the server ended with {code}; {begun} subscriptions begun, {refused} refused")
        return 1
    print(f"{options.streams} streams of random requests: {begun} subscriptions begun, {refused} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
