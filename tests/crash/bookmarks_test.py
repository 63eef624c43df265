"""Kills the real server with SIGKILL under load, again and again, while a client watches queries and keeps nothing but bookmarks: in the end it
has had every event once, and the same ones as somebody who asks for all of them afterwards.

  bookmarks_test.py --kills 30 [--seed N] [--rate 400] [--keep]

The client (made from the .proto files) leaves and comes back by itself too, so that it goes on from the recent events as well as from the journal.
"""
import pathlib
import queue
import random
import sys
import threading
import time

import grpc

from crash_test import Run
from killing import parser, play
from recompute import check
from server import PATIENCE, status

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import stubs  # noqa: E402,F401
from halocline.v1 import queries_pb2, queries_pb2_grpc  # noqa: E402

NAMED = {
    "large": "SELECT source, trade_id, version, quantity, price FROM trades WHERE quantity > 50",
    "by_trader": "SELECT trader, COUNT(*) AS n, SUM(notional) AS total FROM trades WHERE live GROUP BY trader",
}
TEXTS = [
    "SELECT instrument, price FROM prices WHERE mark_time > NOW() - INTERVAL '1 second'",
    "SELECT trade_id, notional FROM trades WHERE live ORDER BY notional DESC LIMIT 5",
    "SELECT * FROM alerts WHERE NOT cleared",
    "SELECT node, instrument, quantity FROM positions WHERE node_kind = 'trader'",
    "SELECT t.trade_id, p.price FROM trades t JOIN prices p ON t.instrument = p.instrument WHERE t.quantity > 95",
]


class Subscription:
    """What a client keeps of one query: a bookmark; and here, to be looked at in the end, all it was told."""

    def __init__(self, sql="", name="", policy=queries_pb2.CUT, after=None):
        self.sql, self.name, self.policy = sql, name, policy
        self.bookmark, self.began, self.events, self.pages = after, after, [], []
        self.rows = {} if after is None else None  # the answer, if it is known from the beginning

    def request(self, number):
        request = queries_pb2.SubscribeRequest(id=number, sql=self.sql, name=self.name, when_slow=self.policy)
        if self.bookmark is not None:
            request.after_seq = self.bookmark
        return request

    def take(self, message):
        what = message.WhichOneof("what")
        if what == "rows":
            check(message.rows.goes_on == (self.bookmark is not None), f"{self.text()}: an answer where changes are to come, or the other way round")
            if self.rows is not None:
                self.rows.update((row.key, row.row.SerializeToString(deterministic=True)) for row in message.rows.rows)
            if not message.rows.more and self.bookmark is None:
                self.bookmark = self.began = message.seq
        elif what == "changes":
            self.pages += message.changes.changes
            if not message.changes.more:
                self.complete(message.seq)
        elif what == "progress":
            check(message.seq >= self.bookmark, f"{self.text()}: progress back to {message.seq}")
            self.bookmark = message.seq
        else:
            raise AssertionError(f"{self.text()} ended: {message.ended.message}")

    def complete(self, seq):
        check(seq > self.bookmark, f"{self.text()}: changes of seq {seq}, told already or too late: all up to {self.bookmark} was told")
        keys = set()
        for change in self.pages:
            check(change.key not in keys, f"{self.text()}: two changes of one row in seq {seq}")
            keys.add(change.key)
            before, after = (row.SerializeToString(deterministic=True) for row in (change.before, change.after))
            if self.rows is not None:
                check((change.kind != queries_pb2.INSERT) == (change.key in self.rows), f"{self.text()}: {change} of a row that is (not) there")
                if change.kind != queries_pb2.INSERT:
                    check(self.rows.pop(change.key) == before, f"{self.text()}: the row was another: {change}")
                if change.kind != queries_pb2.DELETE:
                    self.rows[change.key] = after
            self.events.append((seq, change.kind, change.key, before, after, change.reason, change.order))
        self.pages, self.bookmark = [], seq

    def text(self):
        return self.name or self.sql


class Client(threading.Thread):
    """Watches all of them on one stream, over any number of breaks."""

    def __init__(self, address, subscriptions, rng, leaves):
        super().__init__(daemon=True)
        self.address, self.subscriptions, self.random, self.leaves = address, subscriptions, rng, leaves
        self.changed = threading.Condition()
        self.call, self.stopping, self.wrong, self.breaks, self.left = None, False, None, 0, 0
        self.start()

    def run(self):
        try:
            while not self.stopping:
                self.watch()
        except BaseException as wrong:  # told to the test, which raises it
            self.wrong = wrong
        with self.changed:
            self.changed.notify_all()

    def watch(self):
        requests = queue.SimpleQueue()
        with grpc.insecure_channel(self.address, options=[("grpc.max_reconnect_backoff_ms", 100), ("grpc.initial_reconnect_backoff_ms", 20)]) as channel:
            with self.changed:
                self.call = queries_pb2_grpc.QueriesStub(channel).Subscribe(iter(requests.get, None), wait_for_ready=True)
            for number, one in enumerate(self.subscriptions):
                one.pages = []
                requests.put(one.request(number))
            stay = self.random.randrange(20, 400) if self.leaves else None
            try:
                for message in self.call:
                    with self.changed:
                        self.subscriptions[message.id].take(message)
                        self.changed.notify_all()
                    stay = None if stay is None else stay - 1
                    if stay == 0:
                        self.left += 1
                        break
            except grpc.RpcError as error:
                check(error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), f"the stream ended with {error}")
                self.breaks += 1
            finally:
                requests.put(None)
                self.call.cancel()

    def behind(self, seq):
        return sum(max(0, seq - (one.bookmark or 0)) for one in self.subscriptions)

    def wait_until(self, seq):
        """Until all are complete to that seq. The client stays now: one who leaves all the time may be told the same from the journal for ever."""
        self.leaves = False
        with self.changed:
            while (behind := self.behind(seq)) > 0 and not self.wrong:
                nearer = self.changed.wait_for(lambda: self.wrong or self.behind(seq) < behind, PATIENCE)
                check(nearer, f"in {PATIENCE} s not nearer to {seq}: {[(one.text(), one.bookmark) for one in self.subscriptions]}")
        self.raise_what_was_wrong()

    def stop(self):
        self.stopping = True
        with self.changed:
            self.call.cancel()
        self.join(PATIENCE)
        self.raise_what_was_wrong()

    def raise_what_was_wrong(self):
        if self.wrong is not None:
            raise self.wrong


class BookmarksRun(Run):
    client = None

    def start_serving(self, environment=None):
        super().start_serving(environment)
        if self.client is not None:
            return self.client.raise_what_was_wrong()
        for name, sql in NAMED.items():
            self.query(f"CREATE CONTINUOUS QUERY {name} AS {sql}")
        subscriptions = [Subscription(name=name) for name in NAMED] + [Subscription(sql=sql) for sql in TEXTS]
        subscriptions += [Subscription(sql=sql, policy=queries_pb2.CONFLATE) for sql in TEXTS[:2]]
        self.client = Client(self.listen, subscriptions, random.Random(self.options.seed + 1), True)

    def query(self, sql):
        with grpc.insecure_channel(self.listen) as channel:
            pages = queries_pb2_grpc.QueriesStub(channel).Query(queries_pb2.QueryRequest(sql=sql), timeout=PATIENCE)
            return [row.SerializeToString(deterministic=True) for page in pages for row in page.rows]

    def verify(self, _):
        last = status(self.listen)["last_seq"]
        self.client.wait_until(last)
        self.client.stop()
        for one in self.client.subscriptions:
            if "NOW()" not in one.sql:
                check(sorted(one.rows.values()) == sorted(self.query(NAMED.get(one.name, one.sql))), f"{one.text()}: the rows kept are not the answer")
        check(self.server.stop() == 0, "a graceful stop must end with 0")
        self.start_serving()
        exact = [one for one in self.client.subscriptions if one.policy == queries_pb2.CUT]
        asked = [Subscription(sql=NAMED.get(one.name, one.sql), after=one.began) for one in exact]
        afterwards = Client(self.listen, asked, random.Random(), False)
        afterwards.wait_until(max(one.bookmark for one in exact))
        afterwards.stop()
        for one, other in zip(exact, asked):
            check(one.events, f"{one.text()}: no events at all")
            told = [event for event in other.events if event[0] <= one.bookmark]
            check(len(one.events) == len(told), f"{one.text()}: {len(one.events)} events over {self.kills} kills, {len(told)} asked for afterwards")
            for mine, theirs in zip(one.events, told):
                check(mine == theirs, f"{one.text()}: told {mine}, afterwards {theirs}")
        check(self.server.stop() == 0, "a second graceful stop must end with 0")
        return sum(len(one.events) for one in exact), [len(one.events) for one in exact]


def prove(run):
    began = time.monotonic()
    events, each = run.verify(run.crash())
    return (f"{run.kills} kills ({run.in_recovery} in recovery), the client lost {run.client.breaks} streams and left {run.client.left}: "
            f"{events} events of {len(each)} queries {each}, each once, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    parsed = parser(__doc__, 400, "trades").parse_args()
    parsed.fault_points = "no"
    sys.exit(play("bookmarks test", parsed, BookmarksRun, prove))
