"""Random queries over random books give the rows SQLite gives over a dump of them: `sqlite_test.py [--queries 3000] [--seed S]`.

Decimals, times and intervals are whole numbers in SQLite (e8, ns), so both sides are exact. What the two dialects do not share (decimal
products and quotients, ROUND, date_trunc, NOW) is in the text files. A difference prints both rows, the seed and the shortest query found.
"""
import argparse
import random
import sqlite3
import sys
import time

from books import Books, e8, instant

SOURCES = ("trades", "positions", "nodes", "limits", "alerts", "prices", "instruments", "books", "currencies")
JOINS = [("trades", "instrument", "prices", "instrument"), ("trades", "book", "books", "book"), ("trades", "trader", "nodes", "name"),
         ("instruments", "sector", "instruments", "sector"), ("instruments", "issuer", "trades", "issuer"), ("alerts", "node", "nodes", "name"),
         ("positions", "instrument", "instruments", "symbol"), ("nodes", "name", "trades", "counterparty"), ("prices", "price", "trades", "price"),
         ("books", "desk", "nodes", "desk"), ("limits", "measure", "alerts", "measure"), ("trades", "quantity", "positions", "quantity")]
SHRINK_SECONDS = 30


def trade_key(number):
    """Of some trades it is as long as it may be."""
    return f"oms/{number}" if number % 4 else "oms/" + str(number).ljust(64, "x")


def fill(books, rng):
    lines = ["firm Acme USD", "currency EUR 1.1", "currency GBP 1.25", "desk rates", "desk cash"]
    lines += [f"book B{i} {rng.choice(['rates', 'cash'])}" for i in range(4)]
    lines += [f"trader T{i} {rng.choice(['rates', 'cash', ''])}" for i in range(5)] + ["counterparty C0", "counterparty C1"]
    for i in range(8):
        extra = "".join(f" {k}={rng.choice(v)}" for k, v in (("sector", ["tech", "energy"]), ("issuer", ["I1", "I2", "I3"])) if rng.random() < 0.6)
        lines.append(f"instrument S{i} equity {rng.choice(['USD', 'EUR', 'GBP'])}{extra}")
    lines += ["limit g trader:* gross breach=20000 warn=5000", "limit n book:B1 net breach=3000 hard owner=risk", "limit f firm:* gross breach=90000"]
    for line in lines:
        books.line(line)
    for i in range(rng.randrange(20, 60)):
        trade = f"B{rng.randrange(4)} T{rng.randrange(5)} C{rng.randrange(2)} S{rng.randrange(8)} {rng.choice(['BUY', 'SELL'])} " \
                f"{rng.randrange(1, 200)} {rng.randrange(1, 20000) / 100}"
        when = f" time=2026-11-24T09:{rng.randrange(60):02}:00Z" if rng.random() < 0.7 else ""
        key, version = trade_key(rng.randrange(40)), rng.randrange(2, 5)
        books.line(rng.choice([f"trade {key} {trade}{when}"] * 4 + [f"amend {key} v{version} {trade}{when}", f"cancel {key} v{version}",
                               f"price S{rng.randrange(8)} {rng.randrange(1, 20000) / 100}", f"ack {rng.randrange(1, 5)} ann note=ok"]))


def exact(text, kind):
    if text is None or kind == "text":
        return text
    if kind == "bool":
        return int(text == "true")
    if kind == "int":
        return int(text)
    if kind == "decimal":
        return e8(text)
    if kind == "timestamp":
        head, _, fraction = text.rstrip("Z").partition(".")
        return instant(head + "Z") + int(fraction.ljust(9, "0") or 0)
    return e8(text.removesuffix(" s")) * 10 if text.endswith(" s") else int(text.removesuffix(" ns"))


def dump(books, database):
    """The books as SQLite tables; -> {source: [(column, type, values)]}"""
    schema = {}
    for source in SOURCES:
        answer = books.query(f"SELECT * FROM {source}")
        columns = answer["columns"]
        rows = [[exact(text, kind) for text, (_, kind) in zip(row, columns)] for row in answer["rows"]]
        database.execute(f"CREATE TABLE {source} ({', '.join(chr(34) + name + chr(34) for name, _ in columns)})")
        database.executemany(f"INSERT INTO {source} VALUES ({', '.join('?' * len(columns))})", rows)
        schema[source] = [(name, kind, [row[i] for row in rows if row[i] is not None]) for i, (name, kind) in enumerate(columns)]
    return schema


class Two:
    """An expression in both dialects, with its type."""

    def __init__(self, kind, ours, theirs=None):
        self.kind, self.ours, self.theirs = kind, ours, ours if theirs is None else theirs


def literal(kind, value):
    if value is None:
        return Two(kind, "NULL")
    if kind == "text":
        quoted = "'" + value.replace("'", "''") + "'"
        return Two(kind, quoted)
    if kind == "bool":
        return Two(kind, "TRUE" if value else "FALSE", str(value))
    if kind == "int":
        return Two(kind, str(value))
    if kind == "decimal":
        sign = "-" if value < 0 else ""
        return Two(kind, f"{sign}{abs(value) // 10**8}.{abs(value) % 10**8:08}", str(value))
    if kind == "interval":
        return Two(kind, f"INTERVAL '{value} ns'", str(value))
    seconds = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(value // 10**9))
    return Two(kind, f"TIMESTAMP '{seconds}.{value % 10**9:09}'", str(value))


class Generator:
    def __init__(self, rng, schema):
        self.rng, self.schema = rng, schema

    def column(self, kinds=None):
        of = [c for c in self.columns if kinds is None or c[1] in kinds]
        return self.rng.choice(of) if of else None

    def value(self, kind, depth=0):
        rng = self.rng
        roll = rng.random()
        column = self.column({kind})
        if column is None or roll < 0.15:
            return literal(kind, self.some(kind, column))
        if roll < 0.25 and depth < 2:
            return self.mixed("COALESCE({}, {})", kind, self.value(kind, depth + 1), self.value(kind, depth + 1))
        if roll < 0.35 and depth < 2:
            return self.mixed("CASE WHEN {} THEN {} ELSE {} END", kind, self.condition(depth + 1), self.value(kind, depth + 1), self.value(kind, depth + 1))
        if roll < 0.42 and depth < 2:
            return self.mixed("NULLIF({}, {})", kind, self.value(kind, depth + 1), self.value(kind, depth + 1))
        if roll < 0.55 and depth < 2 and kind in ("int", "decimal", "interval"):
            return self.mixed("({} " + rng.choice("+-") + " {})", kind, self.value(kind, depth + 1), self.value(kind, depth + 1))
        if roll < 0.6 and kind in ("int", "decimal"):
            return self.mixed("ABS({})", kind, self.value(kind, depth + 1))
        return Two(kind, column[0])

    def some(self, kind, column):
        rng = self.rng
        if rng.random() < 0.1 and kind not in ("int", "interval"):  # a bare NULL in a sum of nothing else is a decimal
            return None
        if column and column[2] and rng.random() < 0.8:
            return rng.choice(column[2])
        return {"text": "tech", "bool": 1, "int": rng.randrange(-3, 30), "decimal": rng.randrange(-10**10, 10**11), "interval": 10**9,
                "timestamp": 1_795_514_000_000_000_000}[kind]

    @staticmethod
    def mixed(pattern, kind, *parts):
        return Two(kind, pattern.format(*(p.ours for p in parts)), pattern.format(*(p.theirs for p in parts)))

    def condition(self, depth=0):
        rng = self.rng
        roll = rng.random()
        if depth < 3 and roll < 0.35:
            return self.mixed("({} " + rng.choice(["AND", "OR"]) + " {})", "bool", self.condition(depth + 1), self.condition(depth + 1))
        if depth < 3 and roll < 0.43:
            return self.mixed("(NOT {})", "bool", self.condition(depth + 1))
        kind = self.column()[1]
        value = self.value(kind, depth + 1)
        if roll < 0.5:
            return self.mixed("{} IS " + rng.choice(["", "NOT "]) + "NULL", "bool", value)
        if roll < 0.6:
            items = [literal(kind, self.some(kind, self.column({kind}))) for _ in range(rng.randrange(1, 4))]
            return self.mixed("{} " + rng.choice(["", "NOT "]) + "IN (" + ", ".join(["{}"] * len(items)) + ")", "bool", value, *items)
        if roll < 0.66 and kind not in ("bool",):
            return self.mixed("{} " + rng.choice(["", "NOT "]) + "BETWEEN {} AND {}", "bool", value, self.value(kind, 2), self.value(kind, 2))
        if roll < 0.74 and kind == "text":
            return self.mixed("{} " + rng.choice(["", "NOT "]) + "LIKE " + rng.choice(["'%'", "'T%'", "'_1'", "'%e%'", "'S_'", "''", "'T!_' ESCAPE '!'", "'T1%' ESCAPE 'T'", "'!S_' ESCAPE '!'"]), "bool", value)
        if kind == "bool":
            return value
        return self.mixed("{} " + rng.choice(["=", "<>", "<", "<=", ">", ">="]) + " {}", "bool", value, self.value(kind, 2))

    def aggregate(self):
        rng = self.rng
        column = self.column()
        kind = column[1]
        numeric = kind in ("int", "decimal", "interval")
        name = rng.choice(["COUNT", "COUNT", "MIN", "MAX"] + (["SUM"] * 3 if numeric else []))
        inside = self.value(kind, 1)
        if name == "COUNT" and rng.random() < 0.4:
            out = Two("int", "COUNT(*)")
        elif name == "COUNT":
            out = self.mixed("COUNT(" + rng.choice(["", "DISTINCT "]) + "{})", "int", inside)
        else:
            out = self.mixed(name + "({})", kind, inside)
        if rng.random() < 0.25:
            out = self.mixed("{} FILTER (WHERE {})", out.kind, out, self.condition(2))
        return out

    def query(self):
        """-> parts, as (clause, both texts)"""
        rng = self.rng
        if rng.random() < 0.3:
            left, a, right, b = rng.choice(JOINS)
            how = rng.choice(["JOIN", "LEFT JOIN"])
            origin = Two("", f"{left} l {how} {right} r ON l.{a} = r.{b}")
            self.columns = [(f"{side}.{name}", kind, values) for side, source in (("l", left), ("r", right)) for name, kind, values in self.schema[source]]
        else:
            source = rng.choice(SOURCES)
            origin = Two("", source)
            self.columns = self.schema[source]
        self.columns = [("\"" + c[0].replace(".", "\".\"") + "\"" if c[0] in ("long", "short") else c[0], *c[1:]) for c in self.columns]
        parts = {"from": origin}
        if rng.random() < 0.7:
            parts["where"] = self.condition()
        grouped = rng.random() < 0.45
        if grouped:
            keys = [self.value(self.column()[1], 1) for _ in range(rng.randrange(0, 3))]
            keys = [k for k in keys if any(c[0] in k.ours for c in self.columns)]
            parts["keys"] = keys
            parts["items"] = keys + [self.aggregate() for _ in range(rng.randrange(1, 4))]
            if rng.random() < 0.4 and keys:
                parts["having"] = self.mixed("{} " + rng.choice(["=", "<>", ">", "<="]) + " {}", "bool", Two("int", "COUNT(*)"), literal("int", rng.randrange(4)))
        else:
            parts["items"] = [self.value(self.column()[1]) for _ in range(rng.randrange(1, 5))]
            parts["distinct"] = rng.random() < 0.15
        if rng.random() < 0.4:
            parts["order"] = [(i + 1, rng.choice(["", " DESC"])) for i in rng.sample(range(len(parts["items"])), len(parts["items"]))]
            if rng.random() < 0.6:
                parts["limit"] = rng.randrange(0, 6)
        return parts


def text_of(parts, side):
    of = lambda two: getattr(two, side)
    text = "SELECT " + ("DISTINCT " if parts.get("distinct") else "") + ", ".join(f"{of(one)} AS c{i}" for i, one in enumerate(parts["items"]))
    text += " FROM " + of(parts["from"])
    if "where" in parts:
        text += " WHERE " + of(parts["where"])
    if parts.get("keys"):
        text += " GROUP BY " + ", ".join(of(key) for key in parts["keys"])
    if "having" in parts:
        text += " HAVING " + of(parts["having"])
    if "order" in parts:
        text += " ORDER BY " + ", ".join(f"c{i - 1}{how}" for i, how in parts["order"])
    if "limit" in parts:
        text += f" LIMIT {parts['limit']}"
    return text


def compare(books, database, parts):
    """-> what differs, or None"""
    ours = books.query(text_of(parts, "ours"))
    if "error" in ours:
        return f"refused: {ours['error']}"
    kinds = [kind for _, kind in ours["columns"]]
    mine = [tuple(exact(text, kind) for text, kind in zip(row, kinds)) for row in ours["rows"]]
    theirs = [tuple(row) for row in database.execute(text_of(parts, "theirs"))]
    order = lambda row: tuple((one is not None, one) for one in row)
    if "order" not in parts:
        mine, theirs = sorted(mine, key=order), sorted(theirs, key=order)
    return None if mine == theirs else f"ours   {mine[:10]}\nsqlite {theirs[:10]}"


def shorter(parts):
    for name in ("limit", "order", "having", "where", "distinct"):
        if parts.get(name):
            yield {k: v for k, v in parts.items() if k != name and (name != "order" or k != "limit")}
    for i in range(len(parts["items"])):
        if len(parts["items"]) > 1 and "order" not in parts:
            yield {**parts, "items": parts["items"][:i] + parts["items"][i + 1:]}


def shrink(found, parts_of, again):
    """The same difference with as short a query as can be found: again(parts) finds it, or gives None"""
    until = time.monotonic() + SHRINK_SECONDS
    going = True
    while going and time.monotonic() < until:
        going = False
        for candidate in shorter(parts_of(found)):
            if still := again(candidate):
                found, going = still, True
                break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--queries", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**6)
    options = parser.parse_args()
    began, asked = time.monotonic(), 0
    for round_number in range(max(1, options.queries // 100)):
        seed = options.seed + round_number
        rng = random.Random(seed)
        database = sqlite3.connect(":memory:")
        database.execute("PRAGMA case_sensitive_like = ON")
        with Books() as books:
            fill(books, rng)
            generator = Generator(rng, dump(books, database))
            for _ in range(100):
                parts = generator.query()
                asked += 1
                if compare(books, database, parts):
                    parts = shrink(parts, lambda one: one, lambda one: one if compare(books, database, one) else None)
                    print(f"DIFFERENCE, --seed {seed} --queries 100\n{text_of(parts, 'ours')}\n{text_of(parts, 'theirs')}\n{compare(books, database, parts)}")
                    return 1
        database.close()
    print(f"{asked} random queries gave SQLite's rows, seeds from {options.seed}, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
