"""Queries that must agree with each other, over random books: `rewritings_test.py [--queries 2000] [--seed S]`.

No second engine is asked. A condition, its opposite and its being NULL divide the rows; a rewritten condition keeps the same rows; groups are
DISTINCT rows; a LIMIT is the head of the whole; a left join is the inner one and the rows that have no partner; FILTER is a CASE in the
aggregate; the aggregates of all follow from those of the parts. A failure prints the seed and the queries.
"""
import argparse
import collections
import random
import sqlite3
import sys
import time

from books import Books
from sqlite_test import JOINS, SOURCES, Generator, dump, exact, fill

SAME = ["({p}) AND TRUE", "TRUE AND ({p})", "({p}) OR FALSE", "NOT NOT ({p})", "({p}) IS TRUE", "CASE WHEN {p} THEN TRUE ELSE FALSE END",
        "COALESCE({p}, FALSE)", "({p}) = TRUE", "({p}) AND ({p})", "({p}) OR ({p})", "NOT (({p}) IS NOT TRUE)",
        "({p}) IN (TRUE)", "NULLIF({p}, FALSE)", "({p}) AND NOW() IS NOT NULL"]


class Disagreement(Exception):
    pass


class Asker:
    def __init__(self, books, rng, schema):
        self.books, self.rng, self.generator, self.asked = books, rng, Generator(rng, schema), 0
        self.schema = schema

    def rows(self, sql):
        answer = self.books.query(sql)
        self.asked += 1
        if "error" in answer:
            raise Disagreement(f"refused: {answer['error']}\n{sql}")
        kinds = [kind for _, kind in answer["columns"]]
        return [tuple(exact(text, kind) for text, kind in zip(row, kinds)) for row in answer["rows"]]

    def same(self, left, right, in_order=False, of_left=lambda rows: rows, of_right=lambda rows: rows):
        """Both give the same rows; each side is one query or several whose rows are put together."""
        texts = [left if isinstance(left, list) else [left], right if isinstance(right, list) else [right]]
        a, b = (change([row for sql in sqls for row in self.rows(sql)]) for sqls, change in zip(texts, (of_left, of_right)))
        if (a if in_order else collections.Counter(a)) != (b if in_order else collections.Counter(b)):
            raise Disagreement("\n".join([*texts[0], f"  gives {a[:8]}", *texts[1], f"  gives {b[:8]}"]))

    def origin(self):
        """-> FROM of one source or two, with the generator set to its columns; the join when there is one"""
        join = None
        if self.rng.random() < 0.4:
            join = self.rng.choice(JOINS)
            left, a, right, b = join
            text = f"{left} l {self.rng.choice(['JOIN', 'LEFT JOIN'])} {right} r ON l.{a} = r.{b}"
            columns = [(f'{side}."{name}"', kind, values) for side, source in (("l", left), ("r", right)) for name, kind, values in self.schema[source]]
        else:
            text = self.rng.choice(SOURCES)
            columns = [(f'"{name}"', kind, values) for name, kind, values in self.schema[text]]
        self.generator.columns = columns
        return text, join

    def items(self):
        """Not bare numbers: in ORDER BY and GROUP BY these are places."""
        made = [self.generator.value(self.generator.column()[1], 1).ours for _ in range(self.rng.randrange(1, 4))]
        return [one for one in made if not one.isdigit()] or self.items()

    def condition(self):
        return self.generator.condition(1).ours

    def number(self):
        return self.generator.value(self.rng.choice(["int", "decimal"]), 1).ours

    # --- what must agree ---

    def divided(self):
        origin, _ = self.origin()
        items, p = ", ".join(self.items()), self.condition()
        head = f"SELECT {items} FROM {origin}"
        self.same(head, [f"{head} WHERE {p}", f"{head} WHERE NOT ({p})", f"{head} WHERE ({p}) IS NULL"])

    def divided_twice(self):
        origin, _ = self.origin()
        items, p, q = ", ".join(self.items()), self.condition(), self.condition()
        head = f"SELECT {items} FROM {origin} WHERE"
        self.same(f"{head} {q}", [f"{head} ({q}) AND ({p})", f"{head} NOT ({p}) AND ({q})", f"{head} ({q}) AND (({p}) IS NULL)"])

    def divided_groups(self):
        origin, _ = self.origin()
        key, total, least = self.items()[0], self.number(), self.rng.randrange(4)
        head = f"SELECT {key}, COUNT(*), SUM({total}), MIN({total}) FROM {origin} GROUP BY 1"
        p = self.rng.choice([f"COUNT(*) > {least}", f"SUM({total}) > 0", f"MIN({total}) < MAX({total})", f"COUNT({total}) = COUNT(*)"])
        self.same(head, [f"{head} HAVING {p}", f"{head} HAVING NOT ({p})", f"{head} HAVING ({p}) IS NULL"])

    def rewritten(self):
        origin, _ = self.origin()
        items, p = ", ".join(self.items()), self.condition()
        head = f"SELECT {items} FROM {origin} WHERE"
        self.same(f"{head} {p}", f"{head} {self.rng.choice(SAME).format(p=p)}", in_order=True)

    def opposite(self):
        """De Morgan, BETWEEN as two comparisons, IN as several equalities."""
        origin, _ = self.origin()
        items, p, q = ", ".join(self.items()), self.condition(), self.condition()
        kind = self.generator.column()[1]
        x, a, b = (self.generator.value(kind, 1).ours for _ in range(3))
        literals = [self.generator.value(kind, 9) for _ in range(2)]
        literals = [one.ours for one in literals if not any(name in one.ours for name, _, _ in self.generator.columns)]
        pairs = [(f"NOT (({p}) AND ({q}))", f"NOT ({p}) OR NOT ({q})"), (f"NOT (({p}) OR ({q}))", f"NOT ({p}) AND NOT ({q})")]
        if kind != "bool":
            pairs += [(f"{x} BETWEEN {a} AND {b}", f"{x} >= {a} AND {x} <= {b}"), (f"{x} NOT BETWEEN {a} AND {b}", f"({x} < {a}) OR ({x} > {b})")]
            pairs += [(f"NOT ({x} < {a})", f"{x} >= {a}"), (f"NOT ({x} <> {a})", f"{x} = {a}"), (f"{x} < {a}", f"{a} > {x}")]
        if literals:
            pairs += [(f"{x} IN ({', '.join(literals)})", " OR ".join(f"{x} = {one}" for one in literals))]
            pairs += [(f"{x} NOT IN ({', '.join(literals)})", " AND ".join(f"{x} <> {one}" for one in literals))]
        left, right = self.rng.choice(pairs)
        # As an output too, so that NULL and false are told apart.
        self.same(f"SELECT {left}, {items} FROM {origin}", f"SELECT {right}, {items} FROM {origin}", in_order=True)

    def distinct(self):
        origin, _ = self.origin()
        items, p = self.items(), self.condition()
        numbers = ", ".join(str(i + 1) for i in range(len(items)))
        tail = f"FROM {origin} WHERE {p}"
        self.same(f"SELECT DISTINCT {', '.join(items)} {tail}", f"SELECT {', '.join(items)} {tail} GROUP BY {numbers}", in_order=True)
        self.same(f"SELECT {', '.join(items)} {tail}", f"SELECT DISTINCT {', '.join(items)} {tail}", of_left=lambda rows: list(set(rows)))
        self.same(f"SELECT COUNT(DISTINCT {items[0]}) {tail}", f"SELECT DISTINCT {items[0]} {tail}",
                  of_right=lambda rows: [(sum(row[0] is not None for row in rows),)])

    def limited(self):
        origin, _ = self.origin()
        items, n = self.items(), self.rng.randrange(12)
        order = ", ".join(f"{one}{self.rng.choice(['', ' DESC', ' NULLS LAST', ' DESC NULLS FIRST'])}" for one in self.items())
        head = f"SELECT {', '.join(items)} FROM {origin} WHERE {self.condition()}" + self.rng.choice(["", f" ORDER BY {order}"])
        self.same(f"{head} LIMIT {n}", head, in_order=True, of_right=lambda rows: rows[:n])

    def turned(self):
        """DESC is the other way round, when nothing ties and NULLs go to the other end too."""
        origin = self.rng.choice(["trades", "instruments", "nodes", "positions"])
        key = {"trades": "source, trade_id", "instruments": "symbol", "nodes": "kind, name", "positions": "node_kind, node, instrument"}[origin]
        self.generator.columns = [(f'"{name}"', kind, values) for name, kind, values in self.schema[origin]]
        by = self.items()[0]
        forth = ", ".join([by, *key.split(", ")])
        back = ", ".join(f"{one} DESC" for one in [by, *key.split(", ")])
        # An expression may hold commas, so it is not split.
        self.same(f"SELECT {key}, {by} FROM {origin} ORDER BY {forth}", f"SELECT {key}, {by} FROM {origin} ORDER BY {back}", in_order=True,
                  of_right=lambda rows: rows[::-1])

    def joined(self):
        """A left join is the inner join and the rows of the left that have no partner; sides may be exchanged."""
        left, a, right, b = self.rng.choice(JOINS)
        columns = [(f'l."{name}"', kind, values) for name, kind, values in self.schema[left]]
        both = columns + [(f'r."{name}"', kind, values) for name, kind, values in self.schema[right]]
        self.generator.columns = both
        items = ", ".join(self.items())
        self.same(f"SELECT {items} FROM {left} l JOIN {right} r ON l.{a} = r.{b}", f"SELECT {items} FROM {right} r JOIN {left} l ON r.{b} = l.{a}")
        p = self.condition()
        self.same(f"SELECT {items} FROM {left} l JOIN {right} r ON l.{a} = r.{b} WHERE {p}",
                  f"SELECT {items} FROM {left} l LEFT JOIN {right} r ON l.{a} = r.{b} WHERE ({p}) AND r.{b} IS NOT NULL", in_order=True)
        self.generator.columns = columns
        of_left = ", ".join(self.items())
        met = {row[0] for row in self.rows(f"SELECT DISTINCT {b} FROM {right}") if row[0] is not None}
        alone = lambda rows: [row[1:] for row in rows if row[0] not in met]
        self.same(f"SELECT {of_left} FROM {left} l LEFT JOIN {right} r ON l.{a} = r.{b} WHERE r.{b} IS NULL",
                  f"SELECT l.{a}, {of_left} FROM {left} l", of_right=alone)

    def summed(self):
        """Aggregates of all follow from those of the parts that a condition divides into."""
        origin, _ = self.origin()
        x, p, key = self.number(), self.condition(), self.items()[0]
        names = ["COUNT(*)", f"COUNT({x})", f"SUM({x})", f"MIN({x})", f"MAX({x})"]
        head = f"SELECT {', '.join(names)} FROM {origin}"

        def together(parts):
            columns = list(zip(*parts)) or [()] * len(names)
            of = lambda i, join: join([v for v in columns[i] if v is not None]) if any(v is not None for v in columns[i]) else None
            return [(sum(columns[0]), sum(columns[1]), of(2, sum), of(3, min), of(4, max))]

        self.same(head, [f"{head} WHERE {p}", f"{head} WHERE NOT ({p})", f"{head} WHERE ({p}) IS NULL"], of_right=together)
        self.same(head, f"SELECT {', '.join(names)} FROM {origin} GROUP BY {key} HAVING TRUE", of_right=together)

    def filtered(self):
        origin, _ = self.origin()
        x, p, q = self.number(), self.condition(), self.condition()
        names = ["COUNT", "COUNT DISTINCT", "SUM", "AVG", "MIN", "MAX"]
        of = lambda name, what: f"COUNT(DISTINCT {what})" if name == "COUNT DISTINCT" else f"{name}({what})"
        with_filter = ", ".join(f"{of(name, x)} FILTER (WHERE {p})" for name in names)
        with_case = ", ".join(of(name, f"CASE WHEN {p} THEN {x} END") for name in names)
        plain = ", ".join(of(name, x) for name in names)
        tail = f"FROM {origin} WHERE {q}"
        if with_case.count("CASE") <= 60:  # the language bounds them
            self.same(f"SELECT {with_filter} {tail}", f"SELECT {with_case} {tail}")
        self.same(f"SELECT {with_filter} {tail}", f"SELECT {plain} {tail} AND ({p})")

    def given(self):
        """A parameter is the constant it stands for."""
        source = self.rng.choice(SOURCES)
        name, kind, values = self.rng.choice([c for c in self.schema[source] if c[1] in ("text", "int") and c[2]])
        value = self.rng.choice(values)
        written = str(value) if kind == "int" else "'" + value.replace("'", "''") + "'"
        sign = self.rng.choice(["=", "<>", "<=", ">"])
        ours = self.books.query(f'SELECT COUNT(*) FROM {source} WHERE "{name}" {sign} $1', {"1": value})
        theirs = self.books.query(f'SELECT COUNT(*) FROM {source} WHERE "{name}" {sign} {written}')
        self.asked += 2
        if "error" in ours or ours["rows"] != theirs["rows"]:
            raise Disagreement(f'{source} WHERE "{name}" {sign} $1 with {value!r}: {ours}, with the constant {theirs}')


CHECKS = [Asker.divided, Asker.divided_twice, Asker.divided_groups, Asker.rewritten, Asker.opposite, Asker.distinct, Asker.limited, Asker.turned,
          Asker.joined, Asker.summed, Asker.filtered, Asker.given]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**6)
    options = parser.parse_args()
    began, asked, checks, seed = time.monotonic(), 0, 0, options.seed
    while asked < options.queries:
        rng = random.Random(seed)
        with Books() as books:
            fill(books, rng)
            asker = Asker(books, rng, dump(books, sqlite3.connect(":memory:")))
            try:
                for check in CHECKS * 4:
                    check(asker)
                    checks += 1
            except Disagreement as wrong:
                print(f"DISAGREEMENT in {check.__name__}, --seed {seed} --queries 1\n{wrong}")
                return 1
        asked += asker.asked
        seed += 1
    print(f"{checks} pairs of {asked} random queries agreed, seeds from {options.seed}, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
