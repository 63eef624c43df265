"""Continuous queries over random books: after every command the initial rows plus the events equal the answer asked anew, each row has at
most one event a seq, and an event tells the row as it was; of queries that raise alerts as many are open as there are rows. Many queries begin at once,
others while the commands go on, made ready aside from snapshots. `watch_test.py [--rounds 40] [--seed S]`.
"""
import argparse
import random
import sqlite3
import sys
import time

from books import Books
from sqlite_test import Generator, dump, fill, text_of, trade_key

INSERT, UPDATE, DELETE = 1, 2, 3
MOMENTS = ["trade_time > NOW() - INTERVAL '40 seconds'", "NOT trade_time <= NOW() - INTERVAL '10 seconds'", "trade_time + INTERVAL '1 minute' >= NOW()",
           "NOW() < trade_time + INTERVAL '25 seconds' AND live", "trade_time < NOW() - INTERVAL '20 seconds'", "trade_time = NOW() - INTERVAL '5 seconds'"]


def random_line(rng, books):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(books.time // 10**9 - rng.randrange(60)))
    trade = f"B{rng.randrange(4)} T{rng.randrange(5)} C{rng.randrange(2)} S{rng.randrange(8)} {rng.choice(['BUY', 'SELL'])} " \
            f"{rng.randrange(1, 200)} {rng.randrange(1, 20000) / 100}" + (f" time={stamp}" if rng.random() < 0.8 else "")
    key, version = trade_key(rng.randrange(60)), rng.randrange(2, 6)
    roll = rng.random()
    if roll < 0.35:
        return f"trade {key} {trade}"
    if roll < 0.5:
        return f"amend {key} v{version} {trade}"
    if roll < 0.6:
        return f"cancel {key} v{version}"
    if roll < 0.75:
        return f"price S{rng.randrange(8)} {rng.randrange(1, 20000) / 100}"
    return rng.choice([f"fx EUR {rng.randrange(90, 130) / 100}", f"ack {rng.randrange(1, 9)} ann note=ok", "timer",
                       f"limit g trader:* gross breach={rng.randrange(1, 40) * 1000} warn=500 owner={rng.choice(['risk', 'desk'])}",
                       f"limit x{rng.randrange(3)} book:B{rng.randrange(4)} net breach={rng.randrange(1, 9) * 500} {rng.choice(['hard', ''])}",
                       f"remove x{rng.randrange(3)}", f"book B{rng.randrange(5)} {rng.choice(['rates', 'cash'])}", f"trader T{rng.randrange(6)} rates",
                       f"instrument S{rng.randrange(9)} equity USD sector={rng.choice(['tech', 'energy', 'autos'])} stale_after=30s",
                       f"rename trader T{rng.randrange(5)} T{rng.randrange(9)}", f"eod 2026{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}",
                       f"currency GBP {rng.randrange(110, 140) / 100}", f"counterparty C{rng.randrange(4)}", f"desk d{rng.randrange(2)}"])


class Watch:
    def __init__(self, books, sql):
        self.sql = sql
        answer = books.tell({"watch": sql})
        self.refused = answer.get("error")
        self.id = answer.get("id")
        self.put_off = "put_off" in answer
        self.begin(answer.get("rows", []))

    def begin(self, rows):
        self.rows = {key: row for key, row in rows}

    def apply(self, events):
        seen = set()
        for _, kind, key, before, after, _ in events:
            if key in seen:
                return f"two events of one row in a seq: {events}"
            seen.add(key)
            if (kind == INSERT) == (key in self.rows):
                return f"kind {kind} of a row that is{'' if key in self.rows else ' not'} there: {key}"
            if kind != INSERT and self.rows[key] != before:
                return f"the row was {self.rows[key]}, the event says {before}"
            if kind == UPDATE and before == after:
                return f"an update that changes nothing: {before}"
            if kind == DELETE:
                del self.rows[key]
            else:
                self.rows[key] = after
        return None

    def compare(self, books):
        answer = books.query(self.sql)["rows"]
        order = lambda row: [(one is not None, one or "") for one in row]
        mine = sorted(self.rows.values(), key=order)
        if mine == sorted(answer, key=order):
            return None
        return f"kept    {mine[:8]}\nanswers {sorted(answer, key=order)[:8]}"


class Aside:
    """Queries that begin while the commands go on: put off, prepared some commands later, and adopted some more later."""

    def __init__(self, books, rng, texts, first, last):
        self.books, self.texts, self.first, self.last = books, texts, first, last
        self.prepared_at = set(rng.sample(range(first + 1, last), 3))
        self.put_off = {}

    def after(self, step):
        """-> those that are live from here on"""
        live = []
        if step == self.first:
            self.books.tell({"read_at_most": 0})
            for watch in (Watch(self.books, sql) for sql in self.texts):
                if watch.put_off:
                    self.put_off[watch.id] = watch
                elif watch.refused is None:
                    live.append(watch)
            self.books.tell({"read_at_most": None})
        elif step in self.prepared_at:
            self.books.tell({"prepare": True})
        elif step == self.last:
            self.books.tell({"read_at_most": 3})
            answer = self.books.tell({"adopt": True})
            self.books.tell({"read_at_most": None})
            assert not answer["ended"], answer
            for number, rows in answer["live"]:
                self.put_off[number].begin(rows)
                live.append(self.put_off.pop(number))
            assert not self.put_off, self.put_off
        return live


def round_of(seed, commands):
    """-> what was wrong, or the number of events"""
    rng = random.Random(seed)
    database = sqlite3.connect(":memory:")
    counted = 0
    with Books() as books:
        fill(books, rng)
        generator = Generator(rng, dump(books, database))
        texts = [text_of(generator.query(), "ours") for _ in range(25)]
        texts += [f"SELECT trade_id, quantity FROM trades WHERE {moment}" for moment in MOMENTS]
        texts += [f"SELECT trader, SUM(notional), COUNT(*) FROM trades WHERE {rng.choice(MOMENTS)} GROUP BY trader",
                  f"SELECT trade_id FROM trades WHERE trader = 'T1' AND {rng.choice(MOMENTS)}",
                  f"SELECT COUNT(*) FILTER (WHERE {rng.choice(MOMENTS)}) FROM trades", "SELECT * FROM trades WHERE trader = 'T1' AND quantity > 50",
                  "SELECT trade_id, notional FROM trades WHERE live ORDER BY notional DESC LIMIT 5", "SELECT * FROM nodes WHERE kind = 'trader'",
                  "SELECT node, instrument, total_pnl FROM positions WHERE node_kind = 'book' ORDER BY total_pnl LIMIT 3", "SELECT * FROM alerts",
                  "SELECT * FROM positions WHERE node_kind = 'trader' AND node IN ('T0', 'T1')", "SELECT * FROM trades WHERE quantity BETWEEN 20 AND 60"]
        # Two of three begin later; some of them ask of the same groups as one that is there.
        later = rng.sample(texts, len(texts) // 3)
        last = rng.sample(texts, len(texts) // 3) + ["SELECT trader, SUM(notional) AS n FROM trades GROUP BY trader HAVING SUM(notional) > 9000",
                                                     "SELECT trader, SUM(notional) AS n FROM trades GROUP BY trader ORDER BY n LIMIT 2"]
        asides = [Aside(books, rng, later, 0, commands // 3), Aside(books, rng, last, commands // 3, 2 * commands // 3)]
        watches = [Watch(books, sql) for sql in texts if sql not in later]
        watches = {w.id: w for w in watches if w.refused is None}
        # Some raise alerts too: at each seq as many are open as the answer asked anew has rows.
        alerting = []
        for watch in rng.sample(list(watches.values()), 4):
            made = books.statement(f"CREATE ALERT a{len(alerting)} SEVERITY WARN AS {watch.sql}")
            if made.get("outcome") == "ACCEPTED":
                alerting.append((f"a{len(alerting)}", watch))
            elif "cannot read alerts" not in made.get("error", ""):
                return f"seed {seed}: {watch.sql} cannot raise alerts: {made}"
        for watch in watches.values():  # they are rows of `alerts`
            watch.rows = Watch(books, watch.sql).rows
            books.tell({"unwatch": watch.id})
        for step in range(commands):
            if rng.random() < 0.3:
                books.time += rng.choice([1, 5, 10, 30]) * 10**9
            line = random_line(rng, books)
            answer = books.line(line)
            by_watch = {}
            for event in answer.get("events", []):
                by_watch.setdefault(event[0], []).append(event)
            counted += sum(map(len, by_watch.values()))
            for number, watch in watches.items():
                wrong = watch.apply(by_watch.get(number, [])) or watch.compare(books)
                if wrong:
                    return f"seed {seed}, command {step}: {line}\n{watch.sql}\n{wrong}"
            for aside in asides:
                for watch in aside.after(step):  # the same question may be watched already
                    watches.setdefault(watch.id, watch)
            for name, watch in alerting:
                raised = books.query("SELECT COUNT(*) FROM alerts WHERE query = $1 AND NOT cleared", {"1": name})["rows"][0][0]
                if int(raised) != len(watch.rows):
                    return f"seed {seed}, command {step}: {line}\n{watch.sql}\n{raised} alerts of {len(watch.rows)} rows"
    return counted


def play_rounds(page, round_of, rounds, commands, kept):
    """The command line of a test in rounds, each with a seed: round_of(seed, commands) gives the number of events or what was wrong."""
    parser = argparse.ArgumentParser(description=page.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--commands", type=int, default=commands)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**6)
    options = parser.parse_args()
    began, events = time.monotonic(), 0
    for seed in range(options.seed, options.seed + options.rounds):
        counted = round_of(seed, options.commands)
        if isinstance(counted, str):
            print(f"DIFFERENCE, --rounds 1 --seed {seed}\n{counted}")
            return 1
        events += counted
    print(f"{options.rounds} random floors told {events} events, {kept}, seeds from {options.seed}, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(play_rounds(__doc__, round_of, 40, 60, "each seq compared"))
