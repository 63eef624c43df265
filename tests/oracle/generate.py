"""Random command histories, swarm style: each history draws its own weights, scales and vices from its seed.

generate(seed, n) -> [(time, command)]. The same seed gives the same history. The generator runs the model beside, only to aim: at live
trades and their versions, at open alerts, and at limit levels that are near, or exactly at, the present value of the measure.
"""
import json
import random
import sys

from facts import (AMEND, BOOK, BUY, CANCEL, CONCENTRATION, COUNTERPARTY, CURRENCY, DAY_LOSS, DESK, DRAWDOWN, E8, FIRM, FUTURE, INSTRUMENT,
                   LIVE, MARK_NONE, NET, NEW, SECTOR, SELL, STALE, TOTAL_LOSS, TRADER, TRADE_RATE, UNDERLYING)
from model import Model

SECOND = 10**9
START = 1_790_000_000 * SECOND
INT64_MAX, INT64_MIN = 2**63 - 1, -2**63
MAX_LIVE = 140
LONG_NAME = "n" * 64
POOLS = {
    DESK: ["rates", "Rates", "desk-ü", "D4"],
    BOOK: ["B1", "B2", "B3", "*", LONG_NAME, "B6"],
    TRADER: ["ann", "bob", "chloé", "dan", "eve", "木村", "ann "],
    COUNTERPARTY: ["ACME", "Globex", "C|3", "c/4"],
    INSTRUMENT: ["AAPL", "MSFT", "CLZ6", "ESZ6", "EURUSD", "Z", "a", "é", "IBM"],
    UNDERLYING: ["AAPL", "CL", "ES", "TECH", "U5"],
    SECTOR: ["tech", "energy", "fx", "S4"],
    CURRENCY: ["USD", "EUR", "JPY"],
}
BAD_NAMES = ["", "n" * 65, "é" * 33, "tab\there", "unit\x1fsep", "del\x7f", "nl\n"]
BAD_SOURCES = ["", "s" * 33, "s\x01"]
KINDS = {"Trade": 40, "Price": 16, "FxRate": 6, "Limit": 8, "LimitRemove": 2, "AlertAck": 4, "Timer": 5, "EndOfDay": 2, "Book": 2,
         "Trader": 1, "Desk": 1, "Counterparty": 1, "Currency": 1, "Instrument": 3, "Rename": 1, "Firm": 1, "TradeReport": 20, "FixReceived": 4,
         "FixSent": 3, "FixReserved": 1, "FixReset": 1}


class Generator:
    def __init__(self, seed):
        rng = self.rng = random.Random(seed)
        self.time = START + rng.randrange(10**12)
        self.model = Model()
        self.pools = {kind: pool[:self._pool_size(kind, len(pool))] for kind, pool in POOLS.items()}
        self.weights = {kind: weight * rng.choice((0, 1, 1, 1, 2, 4)) for kind, weight in KINDS.items()}
        self.weights["Trade"] = max(self.weights["Trade"], 20)
        if rng.randrange(3):  # mostly some of each, so that a limit has something to look at
            self.weights["Limit"] = max(self.weights["Limit"], 6)
            self.weights["Price"] = max(self.weights["Price"], 8)
        self.actions = {action: weight * rng.choice((0, 1, 1, 2, 3)) for action, weight in
                        {"new": 12, "amend": 8, "cancel": 4, "again": 2, "conflict": 2, "stale": 2, "revive": 2, "early": 2}.items()}
        self.actions["new"] = max(self.actions["new"], rng.choice((6, 12, 30)))
        if rng.randrange(3) == 0:
            self.actions["cancel"] = 1
        self.mistakes = rng.choice((0, 2, 5, 10, 25))  # percent of commands with something wrong
        self.edges = rng.choice((0, 0, 2, 5, 20))  # percent of numbers at a bound or just beyond
        self.jumps = [rng.choice(("same", "nanos", "fraction", "second", "seconds", "minutes")) for _ in range(3)] + ["same", "fraction"]
        self.side_bias = rng.choice((50, 50, 50, 65, 80))
        self.quantity_digits = rng.choice((1, 6, 9, 10, 10, 11, 12, 18))
        self.price_digits = rng.choice((1, 5, 9, 10, 11, 11, 12, 15))
        self.volatility = rng.choice((1, 5, 20, 60, 300))  # a price tick moves by up to this many per mille
        self.multipliers = rng.choice(([E8], [E8, 100 * E8, 50 * E8], [E8, 1, 12345678, 3 * E8 // 2, 10**14]))
        self.fees = rng.choice(("none", "small", "both", "wild"))
        self.half = rng.randrange(3) == 0  # numbers that make ties in rounding likely
        self.deadlines = rng.choice(([0], [0, SECOND, 5 * SECOND], [1, SECOND // 2, 3 * SECOND, 20 * SECOND, 60 * SECOND, INT64_MAX]))
        self.tiny = rng.randrange(6) == 0  # market values of a few e8 units, so that rounding decides
        if self.tiny:
            self.quantity_digits, self.price_digits, self.volatility, self.multipliers = 2, 9, 300, [E8, E8 // 2, 3 * E8]
        self.crowd = rng.randrange(6) == 0 and not self.tiny  # quantities and positions at their bounds
        if self.crowd:
            self.price_digits, self.multipliers, self.side_bias = 9, [E8, E8 // 10], rng.choice((50, 70, 95))
            self.weights["Book"], self.mistakes, self.edges = 6, min(self.mistakes, 5), min(self.edges, 5)
        self.measures = rng.sample(range(NET, STALE + 1), rng.choice((2, 4, 11)))
        self.templates = rng.choice((10, 40, 70))  # percent
        self.max_limits = rng.choice((3, 8, 16))
        self.sent = {}  # key -> the trade commands sent with it
        self.price_time = rng.choice((START, START, -6))
        self.limits = {}  # name -> command
        self.date = 20261124
        self.queue = []  # commands to send before anything else
        self.reports, self.reported = [], []  # chains' reports still to come, in whatever order; and those sent
        self.chain_count = 0

    def _pool_size(self, kind, all):
        least = {DESK: 1, BOOK: 2, TRADER: 1, COUNTERPARTY: 1, INSTRUMENT: 2, CURRENCY: 1}.get(kind, 1)
        return self.rng.randrange(least, all + 1)

    # -- draws

    def chance(self, percent):
        return self.rng.randrange(100) < percent

    def weighted(self, weights):
        at = self.rng.randrange(sum(weights.values()))
        for key, weight in weights.items():
            at -= weight
            if at < 0:
                return key
        raise AssertionError

    def wrong(self):
        return self.chance(self.mistakes)

    def names(self, kind):
        return [name for of, name in self.model.ids if of == kind]

    def instrument(self, symbol):
        return self.model.instrument_of.get(self.model.ids.get((INSTRUMENT, symbol)))

    def live(self):
        return [key for key, trade in self.model.trades.items() if trade.status == LIVE and key in self.sent]

    def known(self, kind):
        names = self.names(kind)
        if not names or (self.wrong() and self.chance(30)):
            return self.rng.choice(self.pools[kind] + ["nobody", "", "n" * 65])
        return self.rng.choice(names)

    def new_name(self, kind):
        return self.rng.choice(BAD_NAMES if self.wrong() and self.chance(40) else self.pools[kind])

    def digits(self, most):
        """A positive number of up to `most` digits, sometimes a round one."""
        value = self.rng.randrange(1, 10**self.rng.randrange(1, most + 1) + 1)
        if self.half and self.chance(50):
            value = max(1, value // 5000) * 5000
        return value

    def edge(self, bound, low=0):
        return self.rng.choice((bound, bound, bound + 1, bound - 1, low, low + 1, low - 1, INT64_MAX, INT64_MIN))

    def quantity(self):
        if self.chance(self.edges):
            return self.edge(10**18)
        if self.crowd and self.chance(80):
            return 10**18 - self.rng.choice((0, 0, 0, 1, 5 * 10**17))
        return min(self.digits(self.quantity_digits), 10**18)

    def price_of(self, symbol):
        of = self.instrument(symbol)
        kind, multiplier = (of.kind, of.multiplier) if of else (1, E8)
        if self.crowd and self.chance(self.edges):  # the bound of the notional, for the greatest quantity
            return self.rng.choice((10**10 * E8 // multiplier, 10**10 * E8 // multiplier + 1))
        if self.chance(self.edges):
            fit = 10**25 // multiplier  # |price x multiplier| at its bound
            return self.rng.choice((self.edge(10**17), self.edge(fit) if fit < 10**18 else 10**17, -10**17, -10**17 - 1))
        mark = of.mark if of and of.mark_source != MARK_NONE else None
        if mark is None or self.chance(3):
            mark = self.digits(self.price_digits)
            if kind == FUTURE and self.chance(40):
                mark = -mark
        step = abs(mark) * self.rng.randrange(-self.volatility, self.volatility + 1) // 1000
        price = mark + step + self.rng.randrange(-1, 2)
        if kind == FUTURE:
            if self.chance(4):
                price = self.rng.choice((0, -price))
        elif price <= 0 and not self.wrong():
            price = 1
        if abs(price) * multiplier > 10**25 and not self.wrong():
            price = 10**25 // multiplier // 2
        return price

    def fee(self):
        if self.fees == "none":
            return 0
        if self.fees == "wild" and self.chance(self.edges):
            return self.rng.choice((10**18, 10**18 + 1, -10**18, -10**18 - 1, INT64_MIN, INT64_MAX))
        fee = self.digits(9 if self.fees != "wild" else 14)
        return -fee if self.fees != "small" and self.chance(50) else fee

    def rate(self):
        if self.chance(self.edges):
            return self.edge(10**13)
        return self.rng.choice((self.digits(8), 110_000_000 + self.digits(7), 650_000 + self.digits(4), 150_000_000))

    def feed_time(self):
        if self.chance(30):
            return 0
        if self.chance(2):
            return self.rng.choice((INT64_MAX, INT64_MIN, -1, 1)) if self.wrong() else 1
        self.price_time += self.rng.randrange(-2, 6)
        return self.price_time

    def pass_time(self):
        jump = self.rng.choice(self.jumps)
        if jump == "nanos":
            self.time += self.rng.randrange(3)
        elif jump == "fraction":
            self.time += self.rng.randrange(SECOND)
        elif jump == "second":
            self.time += self.rng.choice((SECOND, SECOND - self.time % SECOND, 10 * SECOND - self.time % SECOND))
        elif jump == "seconds":
            self.time += self.rng.randrange(15 * SECOND)
        elif jump == "minutes" and self.chance(25):
            self.time += self.rng.randrange(300 * SECOND)

    # -- one command of each type

    def Firm(self):
        if self.wrong() or (self.model.nodes and self.chance(20)):
            name, currency = self.rng.choice(["Firm", "Firm", "Other"] + BAD_NAMES), self.rng.choice(("USD", "EUR", "", "n" * 65))
            return {"name": name, "currency": currency}
        return {"name": "Firm", "currency": "USD"}

    def Currency(self):
        code = self.new_name(CURRENCY)
        known = self.model.currencies.get(code)
        rate = known.rate if known and self.chance(30) else self.rate()
        return {"code": code, "rate": E8 if code == "USD" and not self.wrong() else rate}

    def Desk(self):
        return {"name": self.new_name(DESK)}

    def Counterparty(self):
        return {"name": self.new_name(COUNTERPARTY)}

    def Book(self):
        return {"name": self.known(BOOK) if self.chance(70) else self.new_name(BOOK), "desk": self.known(DESK)}

    def Trader(self):
        return {"name": self.new_name(TRADER), "desk": "" if self.chance(30) else self.known(DESK)}

    def Instrument(self):
        symbol = self.known(INSTRUMENT) if self.chance(60) else self.new_name(INSTRUMENT)
        old = self.instrument(symbol)
        kind, multiplier, currency = self.rng.randrange(1, 4), self.rng.choice(self.multipliers), self.known(CURRENCY)
        if old:
            kind, multiplier, currency = old.kind, old.multiplier, old.currency
        underlying = self.rng.choice(self.pools[UNDERLYING] + ["", ""])
        sector = self.rng.choice(self.pools[SECTOR] + [""])
        if old and self.chance(40):
            nodes = self.model.nodes
            underlying = self.rng.choice(("", nodes[old.underlying].name))
            sector = "" if old.sector is None else nodes[old.sector].name
        issuer, expiry = self.rng.choice(("", "", "Issuer")), self.rng.choice((0, 0, 20261218))
        stale_after = self.rng.choice(self.deadlines)
        if old and self.chance(20):  # the fixed fields
            kind, multiplier = self.rng.choice(((kind % 3 + 1, multiplier), (kind, self.rng.choice(self.multipliers)), (kind, multiplier)))
            currency = self.known(CURRENCY)
        if self.wrong():
            match self.rng.randrange(6):
                case 0: multiplier = self.rng.choice((0, -1, 10**14 + 1, 10**14, 1, INT64_MIN, INT64_MAX))
                case 1: stale_after = self.rng.choice((-1, INT64_MIN))
                case 2: expiry = self.rng.choice((1, 18991231, 20261301, 20260432, 99991231, 99991232, 20261200, 4294967295))
                case 3: underlying = self.rng.choice(BAD_NAMES)
                case 4: sector = self.rng.choice(BAD_NAMES)
                case 5: issuer = self.rng.choice(BAD_NAMES)
        return {"symbol": symbol, "kind": kind, "currency": currency, "multiplier": multiplier, "underlying": underlying,
                "sector": sector, "issuer": issuer, "expiry": expiry, "stale_after": stale_after}

    def Rename(self):
        kind = self.rng.choice((DESK, BOOK, TRADER, COUNTERPARTY, INSTRUMENT, SECTOR, UNDERLYING))
        old = self.known(kind)
        new = self.rng.choice((self.new_name(kind), "renamed", "again", old))
        if self.wrong():
            kind = self.rng.choice((0, FIRM, CURRENCY, 10))
        field = {BOOK: "book", TRADER: "trader", COUNTERPARTY: "counterparty", INSTRUMENT: "instrument"}.get(kind)
        if field and self.chance(70):  # what is sent again says the new name, mostly
            for commands in self.sent.values():
                commands[:] = [dict(c, **{field: new}) if c[field] == old else c for c in commands]
        return {"kind": kind, "from": old, "to": new}

    def Trade(self):
        action, live = self.weighted(self.actions), self.live()
        if len(live) >= MAX_LIVE:
            action = self.rng.choice(("cancel", "cancel", "amend"))
        if action in ("new", "early") or not self.sent or (action in ("amend", "cancel") and not live):
            return self._new_trade(early=action == "early")
        key = self.rng.choice(live if live and action in ("amend", "cancel") else list(self.sent))
        sent = self.sent[key]
        last = sent[-1]
        version = self.model.trades[key].version if key in self.model.trades else 1
        if action == "again":
            return dict(self.rng.choice((last, last, self.rng.choice(sent))))
        if action == "conflict":
            return self._changed(last)
        if action == "stale":
            return dict(self._changed(last), version=max(1, version - self.rng.randrange(1, 4)))
        version += self.rng.choice((1, 1, 1, 2, 5))
        if action == "cancel":
            command = dict(last, version=version, action=CANCEL)
            if self.chance(30):  # its other fields mean nothing
                command.update(book="", trader="nobody", quantity=0, fees=INT64_MIN)
            return self._send(command)
        command = dict(last, version=version, action=self.rng.choice((NEW, AMEND, AMEND, AMEND)))
        if command["book"] == "":
            command.update(book=self.known(BOOK), trader=self.known(TRADER), quantity=self.quantity(), fees=self.fee())
        for _ in range(self.rng.randrange(1, 4)):
            command = self._changed(command)
        return self._send(self._spoil(command))

    def _new_trade(self, early):
        instrument = self.known(INSTRUMENT)
        book = self.known(BOOK)
        bias = self.side_bias
        if self.crowd and bias < 95 and book:  # some books only buy, others only sell, so that desks reach the bound before the firm
            bias = 95 if ord(book[-1]) % 2 else 5
        key = (self.rng.choice(("fix", "grpc", "fix", "s" * 32)), "T%d" % self.rng.randrange(10**4) if self.chance(95) else "t" * 64)
        if key in self.sent:
            key = ("fix", "U%d" % len(self.sent))
        command = {"source": key[0], "trade_id": key[1], "version": self.rng.choice((1, 1, 1, 2, 7)),
                   "action": self.rng.choice((CANCEL, AMEND)) if early else NEW, "book": book,
                   "trader": self.known(TRADER), "counterparty": self.known(COUNTERPARTY), "instrument": instrument,
                   "side": BUY if self.chance(bias) else SELL, "quantity": self.quantity(), "price": self.price_of(instrument),
                   "fees": self.fee(), "trade_time": self.rng.choice((self.time, self.time - self.rng.randrange(10**12), 0, -1))}
        return self._send(self._spoil(command))

    def _changed(self, last):
        """The same trade with other content."""
        field = self.rng.choice(("book", "trader", "counterparty", "instrument", "side", "quantity", "quantity", "price", "price", "fees",
                                 "trade_time", "action"))
        kinds = {"book": BOOK, "trader": TRADER, "counterparty": COUNTERPARTY, "instrument": INSTRUMENT}
        if field in kinds:
            value = self.known(kinds[field])
        elif field == "side":
            value = BUY + SELL - last["side"] if last["side"] in (BUY, SELL) else BUY
        elif field == "price":
            value = self.price_of(last["instrument"])
        else:
            value = {"quantity": self.quantity, "fees": self.fee, "trade_time": lambda: self.time,
                     "action": lambda: self.rng.choice((NEW, AMEND, CANCEL))}[field]()
        return dict(last, **{field: value})

    def _spoil(self, command):
        if not self.wrong():
            return command
        field = self.rng.choice(("source", "trade_id", "version", "action", "side", "quantity", "price", "book", "instrument"))
        wrong = {"source": BAD_SOURCES, "trade_id": BAD_NAMES, "version": [0], "action": [0, 4], "side": [0, 3],
                 "quantity": [0, -1, INT64_MIN], "price": [0, -1, INT64_MIN, INT64_MAX], "book": ["nobody", ""],
                 "instrument": ["nothing", ""]}
        return dict(command, **{field: self.rng.choice(wrong[field])})

    def _send(self, command):
        sent = self.sent.setdefault((command["source"], command["trade_id"]), [])
        sent.append(dict(command))
        del sent[:-4]
        return command

    # -- trade reports and FIX sessions

    def TradeReport(self):
        if self.reported and self.chance(12):
            command = dict(self.rng.choice(self.reported[-20:]))
            return command if self.chance(60) else self._changed(command)
        if not self.reports or self.chance(30):
            self.reports += self._chain()
        command = self.reports.pop(self.rng.randrange(min(len(self.reports), self.rng.choice((1, 2, 6)))))
        self.reported.append(command)
        return self._spoil(command)

    def _chain(self):
        """The reports of one trade: the first, corrections that name the one before or the first, a cancel perhaps."""
        self.chain_count += 1
        base = self._new_trade(early=False)
        base.pop("version")
        base.update(source=self.rng.choice(("fix", "oms")), action=NEW, reference="", desk="", currency="", park=self.chance(50))
        if self.chance(15):
            base["instrument"] = self.rng.choice(POOLS[INSTRUMENT])
        if self.chance(20):
            base["desk"] = self.known(DESK)
        if self.chance(20):
            base["currency"] = self.known(CURRENCY)
        ids = ["E%d.%d" % (self.chain_count, i) for i in range(self.rng.randrange(1, 6))]
        if self.chance(3):
            ids[-1] = self.rng.choice(list(self.sent))[1]  # the id of a trade that is no report
        reports = [dict(base, trade_id=ids[0])]
        for i in range(1, len(ids)):
            changed = self._changed(reports[-1])
            changed.update(trade_id=ids[i], action=AMEND, reference=ids[i - 1] if self.chance(75) else self.rng.choice(ids))
            reports.append(changed)
        if len(reports) > 1 and self.chance(30):
            reports[-1]["action"] = CANCEL
        if self.chance(10):
            reports.append(dict(self._changed(reports[0]), action=self.rng.choice((AMEND, CANCEL)), reference=self.rng.choice(("", ids[0]))))
        if self.chance(self.rng.choice((0, 50, 100))):
            self.rng.shuffle(reports)
        return reports

    def _number(self, near):
        return self.rng.choice((0, 2 * 10**9, 2 * 10**9 + 1, 2**32 - 1)) if self.wrong() else max(1, near + self.rng.randrange(-1, 3))

    def _session_name(self):
        name = self.rng.choice(("oms", "oms", "desk-ü", "venue"))
        return self.rng.choice(BAD_NAMES) if self.wrong() and self.chance(30) else name

    def FixReceived(self):
        name = self._session_name()
        known = self.model.sessions.get(name)
        commands, reply = self.rng.choice((0, 1, 1, 1, 2, 3)), self.rng.choice((0, 1, 1, 2, 2))
        for _ in range(commands):  # come next, as in one submission
            kind = self.rng.choice(("TradeReport", "TradeReport", "Price", "Trade"))
            self.queue.append(dict(getattr(self, kind)(), type=kind))
        return {"session": name, "number": self._number(known.next_in if known else 1), "commands": commands, "reply": reply,
                "message_type": self.rng.choice(("8", "AE", "X", "")), "answer": self.rng.choice(("", "571=R1\x01", "a" * 600))}

    def FixSent(self):
        name = self._session_name()
        known = self.model.sessions.get(name)
        waiting = [one[0] for one in known.unanswered] if known else []
        return {"session": name, "number": self._number(known.next_out if known else 1),
                "answers": self.rng.choice(waiting) if waiting and self.chance(80) else self.rng.choice((0, 0, 1, 10**6)),
                "message": self.rng.choice(("8=FIX.4.4\x01", "m" * 1500))}

    def FixReserved(self):
        name = self._session_name()
        known = self.model.sessions.get(name)
        return {"session": name, "number": self._number(known.next_out + 1000 if known else 1000)}

    def FixReset(self):
        return {"session": self._session_name()}

    def Price(self):
        instrument = self.known(INSTRUMENT)
        price = self.rng.choice((0, -1, INT64_MIN, INT64_MAX)) if self.wrong() and self.chance(30) else self.price_of(instrument)
        return {"instrument": instrument, "price": price, "price_time": self.feed_time()}

    def FxRate(self):
        currency = self.known(CURRENCY)
        if currency == "USD" and self.chance(80):
            currency = self.known(CURRENCY)
        known = self.model.currencies.get(currency)
        rate = known.rate if known else E8
        rate += rate * self.rng.randrange(-self.volatility, self.volatility + 1) // 1000
        if self.chance(10):
            rate = self.rate()
        if currency == "USD" and self.chance(70):
            rate = E8
        if self.wrong():
            rate = self.rng.choice((0, -1, 10**13, 10**13 + 1, INT64_MIN, INT64_MAX))
        return {"currency": currency, "rate": rate, "rate_time": self.feed_time()}

    def EndOfDay(self):
        date = self.date
        if self.wrong():
            date = self.rng.choice((0, 20261301, 20261032, 20260230, 20260001, 20270229, 99991232, 18991231, 19000101, date - 1))
        elif self.chance(75):
            self.date += 1 if self.date % 100 < 28 else 101 - self.date % 100
            if self.date // 100 % 100 == 13:
                self.date = (self.date // 10000 + 1) * 10000 + 101
            date = self.date
        return {"date": date}

    def Timer(self):
        return {}

    # -- limits

    def _near(self, kind, name, measure):
        """A level near what the measure shows now."""
        id = self.model.ids.get((kind, name))
        node = self.model.nodes[id if id is not None else 0] if self.model.nodes else None
        value = abs(node.value(measure, self.model.time)) if node else 0
        if measure in (DAY_LOSS, TOTAL_LOSS, DRAWDOWN) and self.chance(40):
            value += (node.long + node.short) * self.rng.randrange(1, 2 * self.volatility + 2) // 5000 if node else 0
        if value == 0:
            value = {TRADE_RATE: 3 * E8, CONCENTRATION: E8 // 2}.get(measure) or self.digits(self.quantity_digits)
        if self.chance(25):
            return value + self.rng.randrange(-1, 2)
        if measure == TRADE_RATE and self.chance(70):
            return max(1, value // E8 + self.rng.randrange(-2, 3)) * E8
        return value * self.rng.randrange(50, 160) // 100

    def Limit(self):
        if self.limits and (len(self.limits) >= self.max_limits or self.chance(35)):
            command = dict(self.limits[self.rng.choice(list(self.limits))])
            if self.wrong():
                field, value = self.rng.choice((("measure", self.rng.randrange(1, 12)), ("kind", self.rng.randrange(1, 10)), ("node", "*")))
                return dict(command, **{field: value})
            if self.chance(10):
                return command
            if self.chance(15):  # one of the terms
                field, value = self.rng.choice((("owner", "other"), ("hard", not command["hard"]), ("escalate_after", SECOND)))
                command[field] = value
                self.limits[command["name"]] = dict(command)
                return command
        else:
            kind = self.rng.choice((FIRM, DESK, BOOK, BOOK, TRADER, TRADER, COUNTERPARTY, INSTRUMENT, UNDERLYING, SECTOR, CURRENCY))
            same = [c for c in self.limits.values() if c["node"] == "*"]
            measure = self.rng.choice(self.measures)
            node = "*" if self.chance(self.templates) else self.known(kind) if kind != FIRM else "Firm"
            if same and self.chance(30):  # one that overrides a template
                kind, measure = (lambda c: (c["kind"], c["measure"]))(self.rng.choice(same))
                node = self.known(kind) if kind != FIRM else "Firm"
            free = [name for name in ("L%d" % i for i in range(30)) if name not in self.limits]
            command = {"name": self.rng.choice(free[:6]), "kind": kind, "node": node, "measure": measure}
        shown = command["node"]
        if shown == "*":
            shown = self.rng.choice(self.names(command["kind"]) or ["Firm"])
        level = max(1, self._near(command["kind"], shown, command["measure"]))
        if level > 10**26:
            level = 10**26
        warn = level * self.rng.choice((0, 0, 10, 3, 5, 7, 9, 9)) // 10 if self.chance(90) else 1
        hysteresis = self.rng.choice((0, 0, E8 // 100, E8 // 10, E8 // 2, E8 // 20, 12345678, E8 - 1, 1))
        escalate_after = self.rng.choice((0, 1, SECOND // 3, SECOND, 5 * SECOND, 40 * SECOND, INT64_MAX))
        command.update(warn=str(warn), breach=str(level), hysteresis=hysteresis, hard=self.chance(60),
                       owner=self.rng.choice(("", "risk", "o" * 64)), escalate_after=escalate_after)
        if self.wrong():
            field, values = self.rng.choice((
                ("warn", ["-1", str(level + 1)]), ("breach", ["0", "-1", str(10**26 + 1), str(10**26)]),
                ("hysteresis", [-1, E8, INT64_MAX]), ("escalate_after", [-1]), ("kind", [0, 10]), ("measure", [0, 12]),
                ("name", BAD_NAMES), ("node", BAD_NAMES + ["nobody"]),
                ("owner", BAD_NAMES[1:])))
            return dict(command, **{field: self.rng.choice(values)})
        self.limits[command["name"]] = dict(command)
        return command

    def LimitRemove(self):
        if not self.limits or self.wrong():
            return {"name": self.rng.choice(("nothing", "", "L1"))}
        name = self.rng.choice(list(self.limits))
        again = self.limits.pop(name)
        if self.chance(30):
            self.queue.append(dict(again, type="Limit"))
            self.limits[name] = again
        return {"name": name}

    def AlertAck(self):
        open = [alert.id for alert in self.model.open.values() if not alert.acknowledged or self.chance(20)]
        alert = self.rng.choice(open) if open and self.chance(70) else self.rng.randrange(len(self.model.alerts) + 3)
        by, note = self.rng.choice(("ann", "risk", "n" * 64)), self.rng.choice(("", "seen", "line\nbreak", "ü" * 128, "ü" * 129))
        if self.wrong():
            by, note, alert = self.rng.choice(((self.rng.choice(BAD_NAMES), note, alert), (by, "n" * 257, alert), (by, note, 0),
                                               (by, note, 2**63)))
        return {"alert_id": alert, "by": by, "note": note}

    # -- a history

    def setup(self):
        """Most of the reference data, in an order that works; sometimes with noise in between, sometimes with a part missing."""
        plan = ["Firm"] + ["Currency"] * 4 + ["Desk"] * 3 + ["Book"] * 6 + ["Trader"] * 6 + ["Counterparty"] * 3 + ["Instrument"] * 9
        if self.chance(20):
            plan = [self.rng.choice(("Timer", "Trade", "Desk", "Price", "Firm")) for _ in range(3)] + plan
        elif self.chance(20):
            plan = plan[:1] + [kind for kind in plan[1:] if self.chance(70)]
        return plan

    def commands(self, n):
        plan = self.setup()
        mistakes, self.mistakes = self.mistakes, min(self.mistakes, 5)
        for index in range(n):
            if index >= len(plan):
                self.mistakes = mistakes
                if index % 150 == 0 and self.chance(50):  # another mood
                    self.side_bias = 100 - self.side_bias
                    self.volatility = self.rng.choice((1, 20, 60, 300))
            self.pass_time()
            if self.queue:
                command = self.queue.pop()
            else:
                kind = plan[index] if index < len(plan) else self.weighted(self.weights)
                command = {"type": kind, **getattr(self, kind)()}
            self.model.apply(index + 1, self.time, command)
            yield self.time, command


def generate(seed, n):
    return list(Generator(seed).commands(n))


def lines(history):
    """The interchange form: one JSON object a line."""
    return [json.dumps({"seq": seq, "time": time, **command}) for seq, (time, command) in enumerate(history, 1)]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: generate.py SEED COMMANDS   (prints the history as JSON lines)")
    print("\n".join(lines(generate(int(sys.argv[1]), int(sys.argv[2])))))
