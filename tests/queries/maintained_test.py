"""Maintained answers against SQLite: `maintained_test.py [--queries 2000] [--commands 12] [--seed S]`.

Five hundred random queries at a time are watched over one random floor, half of them from its start and half made ready aside while the commands go on.
After each command the rows each has by its events are the rows SQLite gives over a dump of the books, decimals exact. A difference is played again
with ever shorter forms of the query; seed, query and both answers are printed. Queries with NOW() are in watch_test.py.

Before them, on a floor of its own, each query that asks for nodes or positions of one kind: then the engine notes no others.
"""
import argparse
import collections
import itertools
import random
import sqlite3
import sys
import time

from books import Books
from sqlite_test import SOURCES, Generator, Two, dump, exact, fill, shrink, text_of
from watch_test import DELETE, Aside, Watch, random_line

A_FLOOR = 500
OF_A_KIND = [
    ("nodes", "kind", "name, net, gross, total_pnl, day_pnl, drawdown, concentration, largest_trade, trade_rate",
     "firm desk book trader counterparty instrument underlying sector currency"),
    ("positions", "node_kind", "node, instrument, quantity, cost, market_value, realised, unrealised, total_pnl, trades", "firm desk book trader counterparty"),
]


class Kept:
    """A watched query: its rows by its events as values, how many of each, and SQLite's answer when it was compared last."""

    def __init__(self, watch, kinds, theirs):
        self.watch, self.kinds, self.theirs = watch, kinds, theirs
        self.rows = {key: self.values(row) for key, row in watch.rows.items()}
        self.known = None

    def values(self, row):
        return tuple(exact(text, kind) for text, kind in zip(row, self.kinds))

    def apply(self, events):
        wrong = self.watch.apply(events)
        for _, kind, key, _, after, _ in events:
            if kind == DELETE:
                self.rows.pop(key, None)
            else:
                self.rows[key] = self.values(after)
        return wrong

    def compare(self, database, changed):
        answer = database.execute(self.theirs).fetchall()
        if not changed and answer == self.known:
            return None
        self.known = answer
        mine, theirs = collections.Counter(self.rows.values()), collections.Counter(answer)
        return None if mine == theirs else f"too much  {list((mine - theirs).items())[:8]}\nmissing   {list((theirs - mine).items())[:8]}"


def renew(books, database):
    for source in SOURCES:
        database.execute(f"DROP TABLE {source}")
    dump(books, database)


class Difference(Exception):
    def __init__(self, parts, prepared, what):
        super().__init__(what)
        self.parts, self.prepared, self.what = parts, prepared, what


def played(seed, commands, only=None, prepared=False):
    """All queries of a floor, or `only` one in their place, made ready aside or not; -> (queries, events)"""
    rng, lines = random.Random(seed), random.Random(f"{seed} commands")
    database = sqlite3.connect(":memory:", cached_statements=2 * A_FLOOR)
    database.execute("PRAGMA case_sensitive_like = ON")
    with Books() as books:
        fill(books, rng)
        generator = Generator(rng, dump(books, database))
        asked = [generator.query() for _ in range(A_FLOOR)]
        by_text = {text_of(parts, "ours"): parts for parts in ([only] if only else asked)}
        texts = list(by_text)
        later = set(texts[len(texts) // 2:]) if only is None else set(texts if prepared else [])
        kinds = {}
        for sql in texts:
            answer = books.query(sql)
            if "error" in answer:
                raise Difference(by_text[sql], False, f"refused: {answer['error']}")
            kinds[sql] = [kind for _, kind in answer["columns"]]
        aside = Aside(books, lines, [sql for sql in texts if sql in later], 1, commands // 2 + 1)
        kept, events_seen = {}, 0

        def begin(watch):
            if watch.refused is not None:
                raise Difference(by_text[watch.sql], False, f"not watched: {watch.refused}")
            kept.setdefault(watch.id, Kept(watch, kinds[watch.sql], text_of(by_text[watch.sql], "theirs")))

        for sql in texts:
            if sql not in later:
                begin(Watch(books, sql))
        for step in range(commands):
            line = random_line(lines, books)
            told = {}
            for event in books.line(line).get("events", []):
                told.setdefault(event[0], []).append(event)
            for watch in aside.after(step):
                begin(watch)
            renew(books, database)
            for number, one in kept.items():
                events = told.get(number, [])
                wrong = one.apply(events) or one.compare(database, bool(events) or one.known is None)
                if wrong:
                    sql = one.watch.sql
                    raise Difference(by_text[sql], sql in later, f"command {step}: {line}\n{wrong}")
                events_seen += len(events)
    database.close()
    return len(texts), events_seen


def again(seed, commands, parts, prepared):
    try:
        played(seed, commands, parts, prepared)
    except Difference as still:
        return still
    return None


def of_a_kind():
    for source, column, shown, kinds in OF_A_KIND:
        for kind in kinds.split():
            yield {"from": Two("", source), "where": Two("bool", f"{column} = '{kind}'"), "items": [Two("", name) for name in shown.split(", ")]}


def floors(options):
    """-> (seed, commands, the only query, whether that is made ready aside): what played() takes"""
    for parts in of_a_kind():
        for prepared in (False, True):
            yield options.seed, 4 * options.commands, parts, prepared
    for seed in itertools.count(options.seed):
        yield seed, options.commands, None, False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--commands", type=int, default=12)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**6)
    options = parser.parse_args()
    began, asked, events = time.monotonic(), 0, 0
    for seed, commands, only, prepared in floors(options):
        if only is None and asked >= options.queries:
            break
        try:
            of, told = played(seed, commands, only, prepared)
        except Difference as difference:
            found = shrink(difference, lambda one: one.parts, lambda parts: again(seed, commands, parts, difference.prepared))
            print(f"DIFFERENCE, --queries 1 --commands {options.commands} --seed {seed}{', prepared aside' if found.prepared else ''}\n"
                  f"{text_of(found.parts, 'ours')}\n{text_of(found.parts, 'theirs')}\n{found.what}")
            return 1
        asked, events = asked + of, events + told
    print(f"{asked} random queries, each kept up to date over {options.commands} commands by {events} events, had SQLite's rows after every command, "
          f"seeds from {options.seed}, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
