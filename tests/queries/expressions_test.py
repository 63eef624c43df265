"""Random expressions and aggregates over random books give what a second evaluator gives: `expressions_test.py [--expressions 4000] [--seed S]`.

The evaluator here is written from docs/queries.md alone, with Python's whole numbers and fractions: decimals rounded once, half to even,
NULL for what is out of range, three-valued logic, LIKE as a regular expression, date_trunc by the calendar. So it covers what SQLite does
otherwise (sqlite_test.py). A difference prints the seed, the shortest expression found and a row with both values.
"""
import argparse
import datetime
import fractions
import random
import re
import sys
import time

from books import Books
from sqlite_test import SHRINK_SECONDS, exact, fill

E8 = 10**8
MOST_INT, LEAST_INT, MOST_DECIMAL = 2**63 - 1, -2**63, 10**29
MOST_CASES = 40  # in one query; the language bounds them
COLUMNS = {"int": ["version", "seq"], "decimal": ["quantity", "price", "fees", "signed_notional"], "bool": ["live"],
           "text": ["side", "sector", "issuer", "trade_id", "status"], "timestamp": ["trade_time"], "interval": []}
UNITS = ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"]
NANOS = {"microsecond": 10**3, "millisecond": 10**6, "second": 10**9, "minute": 60 * 10**9, "hour": 3600 * 10**9, "day": 86400 * 10**9}
EPOCH = datetime.date(1970, 1, 1)


class Node:
    """A typed expression: its text, and its value for a row."""

    def __init__(self, kind, pattern, children=(), compute=None):
        self.kind, self.pattern, self.children, self.compute = kind, pattern, list(children), compute

    def text(self):
        return self.pattern.format(*(child.text() for child in self.children))

    def value(self, row):
        return self.compute(row, *self.children)


def strict(function):
    """NULL when any operand is."""
    def compute(row, *children):
        values = [child.value(row) for child in children]
        return None if None in values else function(*values)
    return compute


def in_range(kind, number):
    if kind == "decimal":
        return number if abs(number) <= MOST_DECIMAL else None
    return number if LEAST_INT <= number <= MOST_INT else None


def remainder(a, b):
    """With the sign of the dividend."""
    return None if b == 0 else (abs(a) % abs(b)) * (1 if a >= 0 else -1)


def both(row, left, right):
    a, b = left.value(row), right.value(row)
    return False if a is False or b is False else None if a is None or b is None else True


def either(row, left, right):
    a, b = left.value(row), right.value(row)
    return True if a is True or b is True else None if a is None or b is None else False


def inverse(value):
    return None if value is None else not value


def like(text, pattern):
    return re.fullmatch("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern), text, re.DOTALL) is not None


def start_of(unit, ns):
    if unit in NANOS:
        return ns - ns % NANOS[unit]
    day = EPOCH + datetime.timedelta(days=ns // NANOS["day"])
    start = {"week": day - datetime.timedelta(days=day.weekday()), "month": day.replace(day=1),
             "quarter": day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), "year": day.replace(month=1, day=1)}[unit]
    return max(LEAST_INT, (start - EPOCH).days * NANOS["day"])


def member(row, what, *items):
    value = what.value(row)
    if value is None:
        return None
    values = [item.value(row) for item in items]
    return True if value in values else None if None in values else False


def first_present(row, *children):
    return next((value for value in (child.value(row) for child in children) if value is not None), None)


def case(row, *children):
    for when, then in zip(children[:-1:2], children[1::2]):
        if when.value(row) is True:
            return then.value(row)
    return children[-1].value(row)


def simple_case(row, operand, *children):
    of = operand.value(row)
    for when, then in zip(children[:-1:2], children[1::2]):
        if of is not None and when.value(row) == of:
            return then.value(row)
    return children[-1].value(row)


COMPARISONS = {"=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
               ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


class Generator:
    def __init__(self, rng, seen):
        self.rng, self.seen = rng, seen  # kind -> values of that kind in the books

    def literal(self, kind):
        rng = self.rng
        if kind == "int":
            number = rng.choice([0, 1, 2, 3, 7, 100, 3037000500, 2**32, MOST_INT - 1, MOST_INT, rng.randrange(10**6), rng.randrange(2**63)])
            number *= rng.choice([1, 1, -1])
            return Node(kind, str(number), (), lambda row: number)
        if kind == "decimal":
            number = rng.choice([0, 1, 2, 3, 5 * 10**7, E8, 33333333, 10**16, MOST_DECIMAL, MOST_DECIMAL - 1, rng.randrange(10**10),
                                 rng.randrange(10**20), rng.randrange(MOST_DECIMAL), *self.seen[kind]]) * rng.choice([1, 1, -1])
            return Node(kind, f"{'-' if number < 0 else ''}{abs(number) // E8}.{abs(number) % E8:08}", (), lambda row: number)
        if kind == "bool":
            truth = rng.random() < 0.5
            return Node(kind, "TRUE" if truth else "FALSE", (), lambda row: truth)
        if kind == "text":
            text = rng.choice(["", "a", "ab", "BUY", "tech", "Tech", "1", "ünï", "it's", "100%", "a_b", *self.seen[kind]])
            return Node(kind, "'" + text.replace("'", "''") + "'", (), lambda row: text)
        if kind == "interval":
            ns = rng.choice([0, 1, 10**9, 60 * 10**9, rng.randrange(10**15), rng.randrange(10**18)]) * rng.choice([1, 1, -1])
            return Node(kind, f"INTERVAL '{ns} ns'", (), lambda row: ns)
        days, of_day = rng.randrange(-80_000, 90_000), rng.choice([0, 1, 86399999999999, rng.randrange(86400 * 10**9)])
        when = rng.choice([days * NANOS["day"] + of_day, *self.seen[kind]])
        day, of_day = EPOCH + datetime.timedelta(days=when // NANOS["day"]), when % NANOS["day"]
        clock = f"{of_day // NANOS['hour']:02}:{of_day // NANOS['minute'] % 60:02}:{of_day // 10**9 % 60:02}.{of_day % 10**9:09}"
        return Node(kind, f"TIMESTAMP '{day.isoformat()} {clock}'", (), lambda row: when)

    def leaf(self, kind):
        if COLUMNS[kind] and self.rng.random() < 0.6:
            name = self.rng.choice(COLUMNS[kind])
            return Node(kind, name, (), lambda row: row[name])
        return self.literal(kind)

    def null(self, kind):
        return Node(kind, "NULL", (), lambda row: None)

    def or_null(self, kind, depth):
        return self.null(kind) if self.rng.random() < 0.1 else self.make(kind, depth)

    def make(self, kind, depth=0):
        rng = self.rng
        if depth >= 4 or rng.random() < 0.12:
            return self.leaf(kind)
        made = rng.choice([self.any_kind, getattr(self, "of_" + kind), getattr(self, "of_" + kind)])(kind, depth + 1)
        return made

    def any_kind(self, kind, depth):
        rng = self.rng
        roll = rng.randrange(4)
        if roll == 0:
            return Node(kind, "COALESCE({}, {}, {})", [self.make(kind, depth), self.or_null(kind, depth), self.or_null(kind, depth)], first_present)
        if roll == 1:
            def compute(row, left, right):
                a = left.value(row)
                return None if a is not None and a == right.value(row) else a
            return Node(kind, "NULLIF({}, {})", [self.make(kind, depth), self.make(kind, depth)], compute)
        if roll == 2:
            children = [self.make("bool", depth), self.make(kind, depth), self.make("bool", depth), self.or_null(kind, depth), self.or_null(kind, depth)]
            return Node(kind, "CASE WHEN {} THEN {} WHEN {} THEN {} ELSE {} END", children, case)
        of = rng.choice(list(COLUMNS))
        children = [self.make(of, depth), self.or_null(of, depth), self.make(kind, depth), self.make(of, depth), self.make(kind, depth), self.null(kind)]
        return Node(kind, "CASE {} WHEN {} THEN {} WHEN {} THEN {} ELSE {} END", children, simple_case)

    def sum_of(self, kind, depth, sign=None):
        sign = sign or self.rng.choice("+-")
        add = strict(lambda a, b: in_range(kind, a + b if sign == "+" else a - b))
        return Node(kind, "({} " + sign + " {})", [self.make(kind, depth), self.make(kind, depth)], add)

    def of_int(self, kind, depth):
        roll = self.rng.randrange(6)
        pair = [self.make(kind, depth), self.make(kind, depth)]
        if roll == 0:
            return Node(kind, "({} * {})", pair, strict(lambda a, b: in_range(kind, a * b)))
        if roll == 1:
            return Node(kind, "({} % {})", pair, strict(remainder))
        if roll == 2:
            return Node(kind, "ABS({})", pair[:1], strict(lambda a: in_range(kind, abs(a))))
        if roll == 3:
            return Node(kind, "(- {})", pair[:1], strict(lambda a: in_range(kind, -a)))
        if roll == 4:
            return Node(kind, "ROUND({}, 2)", pair[:1], strict(lambda a: a))
        return self.sum_of(kind, depth)

    def widened(self, depth):
        """A decimal, or an int that becomes one beside it."""
        if self.rng.random() < 0.7:
            return self.make("decimal", depth)
        inner = self.make("int", depth)
        return Node("decimal", "{}", [inner], strict(lambda a: a * E8))

    def of_decimal(self, kind, depth):
        roll = self.rng.randrange(8)
        left, right = self.make(kind, depth), self.widened(depth)
        pair = [left, right] if self.rng.random() < 0.5 else [right, left]
        if roll <= 1:
            return Node(kind, "({} * {})", pair, strict(lambda a, b: in_range(kind, round(fractions.Fraction(a * b, E8)))))
        if roll <= 3:
            whole = [self.make("int", depth), self.make("int", depth)]
            operands = pair if self.rng.random() < 0.7 else [Node(kind, "{}", [one], strict(lambda a: a * E8)) for one in whole]
            divide = strict(lambda a, b: None if b == 0 else in_range(kind, round(fractions.Fraction(a * E8, b))))
            return Node(kind, "({} / {})", operands, divide)
        if roll == 4:
            return Node(kind, "({} % {})", pair, strict(remainder))
        if roll == 5:
            places = self.rng.randrange(9)
            unit = 10**(8 - places)
            return Node(kind, f"ROUND({{}}, {places})", [left], strict(lambda a: in_range(kind, round(fractions.Fraction(a, unit)) * unit)))
        if roll == 6:
            return Node(kind, *self.rng.choice([("ABS({})", [left], strict(abs)), ("(- {})", [left], strict(lambda a: -a))]))
        sign = self.rng.choice("+-")
        return Node(kind, "({} " + sign + " {})", pair, strict(lambda a, b: in_range(kind, a + b if sign == "+" else a - b)))

    def of_interval(self, kind, depth):
        roll = self.rng.randrange(5)
        if roll == 0:
            return Node(kind, "({} - {})", [self.make("timestamp", depth), self.make("timestamp", depth)], strict(lambda a, b: in_range(kind, a - b)))
        if roll == 1:
            pair = [self.make(kind, depth), self.make("int", depth)]
            self.rng.shuffle(pair)
            return Node(kind, "({} * {})", pair, strict(lambda a, b: in_range(kind, a * b)))
        if roll == 2:
            return Node(kind, "ABS({})", [self.make(kind, depth)], strict(lambda a: in_range(kind, abs(a))))
        return self.sum_of(kind, depth)

    def of_timestamp(self, kind, depth):
        roll = self.rng.randrange(4)
        moment = self.make(kind, depth)
        if roll <= 1:
            unit = self.rng.choice(UNITS)
            return Node(kind, f"DATE_TRUNC('{unit}', {{}})", [moment], strict(lambda a: start_of(unit, a)))
        if roll == 2:
            return Node(kind, "({} + {})", [self.make("interval", depth), moment], strict(lambda a, b: in_range(kind, a + b)))
        return Node(kind, "({} - {})", [moment, self.make("interval", depth)], strict(lambda a, b: in_range(kind, a - b)))

    def of_text(self, kind, depth):
        return self.leaf(kind)

    def of_bool(self, kind, depth):
        rng = self.rng
        roll = rng.randrange(10)
        if roll <= 2:
            word, compute = rng.choice([("AND", both), ("OR", either)])
            return Node(kind, "({} " + word + " {})", [self.or_null(kind, depth), self.or_null(kind, depth)], compute)
        if roll == 3:
            return Node(kind, "(NOT {})", [self.make(kind, depth)], lambda row, a: inverse(a.value(row)))
        if roll == 4:
            wanted, word = rng.choice([(True, "TRUE"), (False, "FALSE"), (None, "NULL")])
            negated = rng.random() < 0.5
            operand = self.make(kind if wanted is not None else rng.choice(list(COLUMNS)), depth)
            return Node(kind, "({} IS " + ("NOT " if negated else "") + word + ")", [operand], lambda row, a: (a.value(row) is wanted) != negated)
        of = rng.choice(list(COLUMNS))
        negated = rng.random() < 0.4
        flip = inverse if negated else lambda value: value
        word = "NOT " if negated else ""
        if roll == 5:
            items = [self.null(of) if rng.random() < 0.15 else self.literal(of) for _ in range(rng.randrange(1, 5))]
            pattern = "({} " + word + "IN (" + ", ".join(["{}"] * len(items)) + "))"
            return Node(kind, pattern, [self.make(of, depth), *items], lambda row, *all_of: flip(member(row, *all_of)))
        if roll == 6:
            pattern = "({} " + word + "LIKE {})"
            shape = rng.choice(["%", "_", "%e%", "t%", "_U_", "", "%1", "1%", "%%", "a_b", "100%", "__%"])
            of_pattern = Node("text", f"'{shape}'", (), lambda row: shape)
            return Node(kind, pattern, [self.make("text", depth), of_pattern], lambda row, a, b: flip(strict(like)(row, a, b)))
        if roll == 7:
            def between(row, what, low, high):
                value, a, b = what.value(row), low.value(row), high.value(row)
                above = None if value is None or a is None else value >= a
                below = None if value is None or b is None else value <= b
                return flip(False if above is False or below is False else None if above is None or below is None else True)
            return Node(kind, "({} " + word + "BETWEEN {} AND {})", [self.make(of, depth), self.or_null(of, depth), self.or_null(of, depth)], between)
        sign = rng.choice(list(COMPARISONS))
        pair = [self.make(of, depth), self.or_null(of, depth)]
        if of == "decimal":
            pair[1] = self.widened(depth)
        return Node(kind, "({} " + sign + " {})", pair, strict(COMPARISONS[sign]))


def aggregate_of(name, kind, values):
    """What an aggregate of these values is; NULLs are not among them."""
    if name == "COUNT":
        return len(values)
    if name == "COUNT DISTINCT":
        return len(set(values))
    if not values:
        return None
    if name in ("MIN", "MAX"):
        return (min if name == "MIN" else max)(values, key=lambda one: one.encode() if isinstance(one, str) else one)
    if name == "SUM":
        return in_range(kind, sum(values))
    return round(fractions.Fraction(sum(values) * (E8 if kind == "int" else 1), len(values)))


class Question:
    """Expressions of each row, or aggregates of them by group; what comes back, and what must."""

    def __init__(self, nodes, aggregates=None, key=None, condition=None):
        self.nodes, self.aggregates, self.key, self.condition = nodes, aggregates, key, condition

    def sql(self):
        items = [node.text() for node in self.nodes]
        if self.aggregates:
            items = [f"COUNT(DISTINCT {text})" if name == "COUNT DISTINCT" else f"{name}({text})" for name, text in zip(self.aggregates, items)]
            items = ([self.key.text()] if self.key else []) + items
        text = "SELECT " + ", ".join(f"{item} AS c{i}" for i, item in enumerate(items)) + " FROM trades"
        text += f" WHERE {self.condition.text()}" if self.condition else ""
        return text + (f" GROUP BY {self.key.text()}" if self.aggregates and self.key else "")

    def expected(self, rows):
        rows = [row for row in rows if self.condition is None or self.condition.value(row) is True]
        if not self.aggregates:
            return [tuple(node.value(row) for node in self.nodes) for row in rows]
        groups = {} if self.key else {None: rows}
        for row in rows if self.key else []:
            groups.setdefault(self.key.value(row), []).append(row)
        out = []
        for of, members in groups.items():
            values = [[v for v in (node.value(row) for row in members) if v is not None] for node in self.nodes]
            results = tuple(aggregate_of(name, node.kind, vs) for name, node, vs in zip(self.aggregates, self.nodes, values))
            out.append(((of,) if self.key else ()) + results)
        return out

    def difference(self, books, rows):
        """-> what differs, or None"""
        answer = books.query(self.sql())
        if "error" in answer:
            return f"refused: {answer['error']}"
        kinds = [kind for _, kind in answer["columns"]]
        ours = [tuple(bool(v) if kind == "bool" and v is not None else v for v, kind in zip((exact(t, k) for t, k in zip(row, kinds)), kinds))
                for row in answer["rows"]]
        wanted = self.expected(rows)
        if self.aggregates:
            order = lambda row: tuple((one is not None, str(one)) for one in row)
            ours, wanted = sorted(ours, key=order), sorted(wanted, key=order)
        if ours == wanted:
            return None
        pairs = [(a, b) for a, b in zip(ours, wanted) if a != b]
        return f"ours   {pairs[0][0]}\nwanted {pairs[0][1]}" if pairs else f"{len(ours)} rows, wanted {len(wanted)}"


def smaller(node):
    """The node with a part replaced by a part of it of the same type."""
    def below(one):
        for child in one.children:
            yield child
            yield from below(child)
    for part in below(node):
        if part.kind == node.kind and part.pattern not in ("NULL", "{}"):  # these have their type from what is beside them
            yield part
    for i, child in enumerate(node.children):
        for candidate in smaller(child):
            yield Node(node.kind, node.pattern, [*node.children[:i], candidate, *node.children[i + 1:]], node.compute)


def shrink(question, books, rows):
    until = time.monotonic() + SHRINK_SECONDS
    for i in range(len(question.nodes)):
        one = Question([question.nodes[i]], question.aggregates and [question.aggregates[i]], question.key, question.condition)
        if one.difference(books, rows):
            question = one
            break
    going = True
    while going and time.monotonic() < until:
        going = False
        candidates = [Question(question.nodes, question.aggregates, question.key, None)] if question.condition else []
        candidates += [Question([n, *question.nodes[1:]], question.aggregates, question.key, question.condition) for n in smaller(question.nodes[0])]
        if question.condition:
            candidates += [Question(question.nodes, question.aggregates, question.key, c) for c in smaller(question.condition)]
        for candidate in candidates:
            if len(candidate.sql()) < len(question.sql()) and candidate.difference(books, rows):
                question, going = candidate, True
                break
    return question


def question_of(generator, rng):
    nodes, cases = [], 0
    aggregates = [] if rng.random() < 0.3 else None
    key = generator.make(rng.choice(list(COLUMNS)), 3) if aggregates is not None and rng.random() < 0.8 else None
    if key and key.text().isdigit():
        return question_of(generator, rng)  # a bare number in GROUP BY is a place
    condition = generator.make("bool", 1) if rng.random() < 0.4 else None
    for _ in range(10):
        kind = rng.choice(["int", "decimal", "decimal", "bool", "bool", "text", "timestamp", "interval"])
        node = generator.make(kind)
        cases += node.text().count("CASE")
        if cases > MOST_CASES // 2:
            break
        nodes.append(node)
        if aggregates is not None:
            numeric = ["SUM", "SUM", "AVG", "AVG"] if kind in ("int", "decimal", "interval") else []
            aggregates.append(rng.choice(["COUNT", "COUNT DISTINCT", "MIN", "MAX", *numeric]))
    outside = sum(one.text().count("CASE") for one in (key, key, condition) if one)
    return Question(nodes, aggregates, key, condition) if nodes and cases + outside <= MOST_CASES else question_of(generator, rng)


def read_trades(books):
    names = [name for of_kind in COLUMNS.values() for name in of_kind]
    answer = books.query(f"SELECT {', '.join(names)} FROM trades")
    kinds = [kind for _, kind in answer["columns"]]
    rows = [dict(zip(names, (exact(text, kind) for text, kind in zip(row, kinds)))) for row in answer["rows"]]
    for row in rows:
        row["live"] = bool(row["live"])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--expressions", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**6)
    options = parser.parse_args()
    began, asked, seed = time.monotonic(), 0, options.seed
    while asked < options.expressions:
        rng = random.Random(seed)
        with Books() as books:
            fill(books, rng)
            rows = read_trades(books)
            seen = {kind: sorted({row[name] for row in rows for name in names if row[name] is not None}) for kind, names in COLUMNS.items()}
            generator = Generator(rng, seen)
            for _ in range(30):
                question = question_of(generator, rng)
                asked += len(question.nodes)
                if question.difference(books, rows):
                    question = shrink(question, books, rows)
                    print(f"DIFFERENCE, --seed {seed} --expressions 1\n{question.sql()}\n{question.difference(books, rows)}")
                    return 1
        seed += 1
    print(f"{asked} random expressions gave what the rules say, seeds from {options.seed}, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
