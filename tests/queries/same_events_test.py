"""Watched queries whose condition is written otherwise tell the same events, and so does the same journal again:
`same_events_test.py [--rounds 20] [--seed S]`.

Of each random condition there is the plain form, which an index may serve, and forms no index can; all are watched over the same random
commands, and every event (kind, key, old, new, reason) must be the same. Then all is done a second time from the beginning.
"""
import random
import sqlite3
import sys

from books import Books
from sqlite_test import SOURCES, Generator, dump, fill
from watch_test import play_rounds, random_line

SAME = ["({p}) OR NULL", "CASE WHEN {p} THEN TRUE ELSE NULL END", "NOT NOT ({p})", "({p}) IS TRUE", "({p}) AND NULL IS NULL", "COALESCE({p}, FALSE)"]
INDEXED = ["trader = 'T1'", "'T2' = trader AND live", "quantity > 20 AND quantity <= 90", "instrument IN ('S1', 'S2', NULL)", "live", "price < 50",
           "quantity BETWEEN 10 AND 40 AND side = 'BUY'", "live = FALSE", "NOT live", "trader = 'T1' AND quantity > 50", "version > 1", "book = NULL",
           "quantity > 90 AND quantity < 20", "trade_time >= TIMESTAMP '2026-11-24 09:30:00'", "notional >= 1000 AND trader IN ('T0', 'T3')"]


def queries_of(generator, rng):
    """-> lists of queries that must tell the same"""
    families = []
    for _ in range(12):
        if rng.random() < 0.5:
            source, condition = "trades", rng.choice(INDEXED)
        else:
            source = rng.choice(SOURCES)
            generator.columns = [(f'"{name}"', kind, values) for name, kind, values in generator.schema[source]]
            condition = generator.condition(1).ours
        tail = ""
        items = "*"
        if source == "trades" and rng.random() < 0.5:
            items, tail = rng.choice([("trader, SUM(notional), COUNT(*), MAX(price)", " GROUP BY trader"), ("DISTINCT trader", ""),
                                      ("trade_id, quantity", " ORDER BY quantity DESC LIMIT 3"), ("SUM(quantity), COUNT(DISTINCT book)", ""),
                                      ("side, COUNT(*)", " GROUP BY side HAVING COUNT(*) > 3")])
        conditions = [condition] + [form.format(p=condition) for form in rng.sample(SAME, 3)]
        families.append([f"SELECT {items} FROM {source} WHERE {one}{tail}" for one in conditions])
    return families


def played(seed, commands, rewritten):
    """-> the queries' families, and the events of each query command by command"""
    rng = random.Random(seed)
    with Books() as books:
        fill(books, rng)
        families = queries_of(Generator(rng, dump(books, sqlite3.connect(":memory:"))), rng)
        ids = {}
        for family in families:
            for sql in family if rewritten else family[:1]:
                watch = books.tell({"watch": sql})
                if "error" in watch:
                    raise AssertionError(f"seed {seed}: {sql}\n{watch['error']}")
                ids[sql] = watch["id"]
        told = {number: [] for number in ids.values()}
        for _ in range(commands):
            if rng.random() < 0.3:
                books.time += rng.choice([1, 5, 10, 30]) * 10**9
            line = random_line(rng, books)
            for event in books.line(line).get("events", []):
                told[event[0]].append((books.seq, line, *event[1:]))
        return families, {sql: told[number] for sql, number in ids.items()}


def first_difference(left, right):
    return next(((a, b) for a, b in zip(left + [None], right + [None]) if a != b), None)


def round_of(seed, commands):
    """-> what was wrong, or the number of events"""
    families, told = played(seed, commands, rewritten=True)
    for family in families:
        for sql in family[1:]:
            if told[sql] != told[family[0]]:
                return f"{family[0]}\n{sql}\n{first_difference(told[family[0]], told[sql])}"
    # Again from the beginning, the plain forms alone: what else is watched changes nothing.
    _, again = played(seed, commands, rewritten=False)
    for sql, events in again.items():
        if events != told[sql]:
            return f"{sql}, the second time\n{first_difference(told[sql], events)}"
    return sum(map(len, told.values()))


if __name__ == "__main__":
    sys.exit(play_rounds(__doc__, round_of, 20, 80, "the same however they were asked"))
