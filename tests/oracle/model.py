"""The slow, obviously right model of docs/semantics.md.

It keeps only raw facts: reference data, the current version of every trade, marks and rates, and the counters that
depend on the path by definition (day_base, peak_pnl, largest_trade, the seconds of trade_rate, alerts). Positions and
measures are computed anew from the live trades after every command. Plain ints everywhere, money and prices at 1e-8.

Run as a program it is a driver itself: commands as JSON lines on stdin, one JSON line of effects for each on stdout.
"""
import copy
import hashlib
import json
import sys

from facts import (ACKNOWLEDGED, AMEND, BOOK, BREACH, BUY, BY_LEVEL, BY_USER, CANCEL, CANCELLED, CLEARED, COUNTERPARTY, CURRENCY, DESK,
                   E16, E8, EASED, ESCALATED, FIRM, FIRM_NODE, FUTURE, FX_PAIR, INSTRUMENT, LIMIT_REMOVED, LIVE, MARK_NONE, MARK_PRICE,
                   MARK_TRADE, MAX_BREACH, MAX_FEES, MAX_FIX_NUMBER, MAX_MULTIPLIER, MAX_NOTIONAL, MAX_PARKED, MAX_POSITION, MAX_PRICE,
                   MAX_PRICE_MULTIPLIER, MAX_QUANTITY, MAX_RATE, MERGED, NET, NEW, NONE, OUTCOME_CODES, OVERRIDDEN, R, RAISED, RENAMEABLE,
                   REPLY_ALWAYS, REPLY_NONE, SECOND, SECTOR, SELL, STALE, TRADER, UNACKNOWLEDGED, UNDERLYING, Alert, Chain, Currency,
                   FixMessage, FixSession, Instrument, Limit, Link, Node, Trade, next_level, valid_date, valid_name, weight)


NAMED = {"book": BOOK, "trader": TRADER, "counterparty": COUNTERPARTY, "instrument": INSTRUMENT}  # by a trade


WITHOUT_FIRM = ("Firm", "Timer", "FixReceived", "FixSent", "FixReserved", "FixReset")


class Model:
    def __init__(self):
        self.seq = self.time = 0
        self.firm = self.firm_currency = ""
        self.last_date = 0
        self.nodes = []
        self.ids = {}  # (kind, name) -> node id
        self.currencies = {}
        self.instruments = []
        self.instrument_of = {}  # INSTRUMENT node id -> Instrument
        self.trades = {}  # (source, trade_id) -> Trade
        self.history = []  # every Trade ever made, in order
        self.links = {}  # (source, trade_id) -> Link, in the order they were made
        self.chains = []
        self.parked = {}  # (source, trade_id) -> (seq, command), in the order of arrival
        self.released = self.refused_then = 0
        self.sessions = {}  # name -> FixSession, in the order they were made
        self.sent = []  # (seq, place of the session, number)
        self.message = None  # the FixMessage whose commands come now
        self.limits = {}  # name -> Limit, in the order of id
        self.limit_count = 0
        self.alerts = []
        self.open = {}  # (limit id, node id) -> Alert
        self.event_count = 0
        self.events = []
        self.cause = ("TIMER", "")
        self.position = {}  # (node id, instrument index) -> [Q, C, count, V]; computed anew

    # -- the function itself

    def apply(self, seq, time, command):
        """-> (outcome, first_seq or 0, [event dicts])"""
        assert time >= self.time and seq > self.seq
        self.events = []
        self.seq = seq
        if time > self.time:
            self.time = time
            self._pass_time()
        kind = command["type"]
        if kind == "FixReceived":
            self.message = None
        message = self.message
        outcome, first_seq = "NO_FIRM", 0
        if self.nodes or kind in WITHOUT_FIRM:
            self.cause = self._cause(kind, command)
            result = getattr(self, "_" + kind)(command)
            outcome, first_seq = result if isinstance(result, tuple) else (result, 0)
            # A report that is STALE may have brought two trades together.
            if kind == "TradeReport" or (outcome == "ACCEPTED" and kind not in ("Timer", "AlertAck") and not kind.startswith("Fix")):
                self._compute_positions()
                self._compute_measures()
                self._look()
        if message is not None:
            self._note(message, outcome)
        return outcome, first_seq, self.events

    @staticmethod
    def _cause(kind, c):
        if kind == "Trade":
            return "TRADE", "%s/%s/%d" % (c["source"], c["trade_id"], c["version"])
        if kind == "Price":
            return "PRICE", c["instrument"]
        if kind == "FxRate":
            return "FX", c["currency"]
        named = {"Timer": "TIMER", "Limit": "LIMIT", "LimitRemove": "LIMIT", "AlertAck": "ACK", "EndOfDay": "END_OF_DAY"}
        return named.get(kind, "REFERENCE"), ""

    def _pass_time(self):
        self.cause = ("TIMER", "")
        self._compute_measures()
        due = [a for a in self.open.values() if a.due is not None and a.due <= self.time]
        for alert in sorted(due, key=lambda a: (a.due, a.id)):
            alert.due = None
            self._event(alert, ESCALATED, UNACKNOWLEDGED, BREACH)
        self._look()

    # -- reference data

    def _node(self, kind, name):
        node = Node(len(self.nodes), kind, name)
        self.nodes.append(node)
        self.ids[kind, name] = node.id
        return node.id

    def _find(self, kind, name):
        return self.ids.get((kind, name))

    def _Firm(self, c):
        if not valid_name(c["name"]) or not valid_name(c["currency"]):
            return "INVALID_NAME"
        if self.nodes:
            return "UNCHANGED" if (c["name"], c["currency"]) == (self.firm, self.firm_currency) else "ALREADY_SET"
        self.firm, self.firm_currency = c["name"], c["currency"]
        self._node(FIRM, self.firm)
        self.currencies[self.firm_currency] = Currency(self.firm_currency, E8, self._node(CURRENCY, self.firm_currency))
        return "ACCEPTED"

    def _rate_is_valid(self, code, rate):
        return 0 < rate <= MAX_RATE and (code != self.firm_currency or rate == E8)

    def _Currency(self, c):
        code, rate = c["code"], c["rate"]
        if not valid_name(code):
            return "INVALID_NAME"
        if not self._rate_is_valid(code, rate):
            return "INVALID_RATE"
        currency = self.currencies.get(code)
        if currency is None:
            self.currencies[code] = Currency(code, rate, self._node(CURRENCY, code))
            return "ACCEPTED"
        if currency.rate == rate:
            return "UNCHANGED"
        currency.rate = rate
        return "ACCEPTED"

    def _plain(self, kind, name):
        if not valid_name(name):
            return "INVALID_NAME"
        if self._find(kind, name) is not None:
            return "UNCHANGED"
        self._node(kind, name)
        return "ACCEPTED"

    def _Desk(self, c):
        return self._plain(DESK, c["name"])

    def _Counterparty(self, c):
        return self._plain(COUNTERPARTY, c["name"])

    def _Book(self, c):
        if not valid_name(c["name"]):
            return "INVALID_NAME"
        desk = self._find(DESK, c["desk"])
        if desk is None:
            return "UNKNOWN_DESK"
        id = self._find(BOOK, c["name"])
        if id is None:
            self.nodes[self._node(BOOK, c["name"])].parent = desk
            return "ACCEPTED"
        book = self.nodes[id]
        if book.parent == desk:
            return "UNCHANGED"
        moved = {(desk, i): p[0] for (node, i), p in self.position.items() if node == id}
        moved.update({(book.parent, i): -p[0] for (node, i), p in self.position.items() if node == id})
        if self._beyond_bound(moved):
            return "OUT_OF_RANGE"
        self._move_day_base(book, book.parent, desk)
        book.parent = desk
        return "ACCEPTED"

    def _move_day_base(self, node, old, new):
        if old is not None:
            self.nodes[old].day_base -= node.day_base
        if new is not None:
            self.nodes[new].day_base += node.day_base

    def _Trader(self, c):
        if not valid_name(c["name"]):
            return "INVALID_NAME"
        desk = None
        if c["desk"] != "":
            desk = self._find(DESK, c["desk"])
            if desk is None:
                return "UNKNOWN_DESK"
        id = self._find(TRADER, c["name"])
        if id is None:
            id = self._node(TRADER, c["name"])
        elif self.nodes[id].parent == desk:
            return "UNCHANGED"
        self.nodes[id].parent = desk
        return "ACCEPTED"

    def _Instrument(self, c):
        symbol, underlying, sector = c["symbol"], c["underlying"], c["sector"]
        if not valid_name(symbol) or not all(valid_name(name) for name in (underlying, sector, c["issuer"]) if name != ""):
            return "INVALID_NAME"
        if c["currency"] not in self.currencies:
            return "UNKNOWN_CURRENCY"
        if not 0 < c["multiplier"] <= MAX_MULTIPLIER or c["stale_after"] < 0:
            return "OUT_OF_RANGE"
        if c["expiry"] != 0 and not valid_date(c["expiry"]):
            return "OUT_OF_RANGE"
        fixed = (c["kind"], c["currency"], c["multiplier"])
        free = (c["issuer"], c["expiry"], c["stale_after"])
        id = self._find(INSTRUMENT, symbol)
        created = id is None
        if created:
            id = self._node(INSTRUMENT, symbol)
            instrument = self.instrument_of[id] = Instrument(len(self.instruments), id)
            self.instruments.append(instrument)
            underlying = underlying or symbol
        else:
            instrument = self.instrument_of[id]
            was = (instrument.kind, instrument.currency, instrument.multiplier)
            if fixed != was and instrument.mark_source != MARK_NONE:  # a trade version also leaves a mark
                return "IMMUTABLE_FIELD"
            underlying = underlying or self.nodes[instrument.underlying].name
            same = self._find(UNDERLYING, underlying) == instrument.underlying
            same = same and (self._find(SECTOR, sector) if sector else None) == instrument.sector
            same = same and (sector == "" or self._find(SECTOR, sector) is not None)
            if same and fixed == was and free == (instrument.issuer, instrument.expiry, instrument.stale_after):
                return "UNCHANGED"
        instrument.kind, instrument.currency, instrument.multiplier = fixed
        instrument.issuer, instrument.expiry, instrument.stale_after = free
        node = self.nodes[id]
        to = self._named_node(UNDERLYING, underlying)
        if to != instrument.underlying:
            self._move_day_base(node, instrument.underlying, to)
            instrument.underlying = to
        to = self._named_node(SECTOR, sector) if sector else None
        if to != instrument.sector:
            self._move_day_base(node, instrument.sector, to)
            instrument.sector = to
        self._release(symbol)
        return "ACCEPTED"

    def _named_node(self, kind, name):
        id = self._find(kind, name)
        return self._node(kind, name) if id is None else id

    def _Rename(self, c):
        kind, old, new = c["kind"], c["from"], c["to"]
        if not valid_name(new):
            return "INVALID_NAME"
        id = self._find(kind, old) if kind in RENAMEABLE else None
        if id is None:
            return "UNKNOWN_NAME"
        if old == new:
            return "UNCHANGED"
        if self._find(kind, new) is not None:
            return "NAME_TAKEN"
        del self.ids[kind, old]
        self.ids[kind, new] = id
        self.nodes[id].name = new
        for trade in self.history:
            trade.line = None
        if kind == INSTRUMENT:
            self._release(new)
        return "ACCEPTED"

    # -- trades and prices

    def _nodes_of(self, trade):
        i = trade.instrument
        nodes = [FIRM_NODE, self.nodes[trade.book].parent, trade.book, trade.trader, trade.counterparty]
        nodes += [i.node, i.underlying, self.currencies[i.currency].node]
        return nodes if i.sector is None else nodes + [i.sector]

    def _five(self, book, trader, counterparty):
        return FIRM_NODE, self.nodes[book].parent, book, trader, counterparty

    def _beyond_bound(self, change):
        """change: (node id, instrument index) -> change of Q"""
        for key, delta in change.items():
            was = self.position[key][0] if key in self.position else 0
            if abs(was + delta) > MAX_POSITION and abs(was + delta) > abs(was):
                return True
        return False

    @staticmethod
    def _add_change(change, nodes, instrument, signed):
        for node in nodes:
            key = (node, instrument.index)
            change[key] = change.get(key, 0) + signed

    def _count_trade(self, trade):
        second = self.time // SECOND
        for id in self._nodes_of(trade):
            seconds = self.nodes[id].seconds
            seconds[second] = seconds.get(second, 0) + 1

    @staticmethod
    def _content(c):
        """Every field after `version`, as it was said; of a cancel the action alone."""
        if c["action"] == CANCEL:
            return {"action": CANCEL}
        return {field: c[field] for field in ("action", "book", "trader", "counterparty", "instrument", "side", "quantity", "price", "fees",
                                              "trade_time")}

    def _same_content(self, trade, content):
        """The same words, or the same when each name is read as what it names today."""
        if content == trade.content:
            return True
        if CANCEL in (content["action"], trade.content["action"]):
            return False
        meant = {"book": trade.book, "trader": trade.trader, "counterparty": trade.counterparty, "instrument": trade.instrument.node}
        means = {field: self._find(kind, content[field]) for field, kind in NAMED.items()}
        return {**content, **means} == {**trade.content, **meant}

    def _Trade(self, c):
        key = (c["source"], c["trade_id"])
        version, action = c["version"], c["action"]
        if not valid_name(key[0], 32) or not valid_name(key[1]):
            return "INVALID_NAME"
        if version == 0:
            return "INVALID_VERSION"
        if action not in (NEW, AMEND, CANCEL):
            return "INVALID_ACTION"
        content = self._content(c)
        trade = self.trades.get(key)
        if trade is not None:
            if version < trade.version:
                return "STALE"
            if version == trade.version:
                return ("DUPLICATE", trade.version_seq) if self._same_content(trade, content) else "CONFLICT"
        if action == CANCEL:
            return self._cancel(key, trade, version, content)
        return self._upsert(key, trade, version, content, c)

    def _create(self, key):
        trade = self.trades[key] = Trade(self.seq, *key)
        self.history.append(trade)
        return trade

    def _cancel(self, key, trade, version, content):
        outcome = "ACCEPTED"
        if trade is None:
            trade = self._create(key)
            outcome = "TOMBSTONE"
        elif trade.status == LIVE:
            change = {}
            self._add_change(change, self._five(trade.book, trade.trader, trade.counterparty), trade.instrument, -trade.signed)
            if self._beyond_bound(change):
                return "OUT_OF_RANGE"
            self._count_trade(trade)
        trade.status, trade.version, trade.version_seq, trade.content, trade.line = CANCELLED, version, self.seq, content, None
        return outcome

    def _upsert(self, key, trade, version, content, c):
        book, trader, counterparty, instrument = (self._find(kind, c[field]) for field, kind in NAMED.items())
        side, quantity, price, fees, trade_time = (c[field] for field in ("side", "quantity", "price", "fees", "trade_time"))
        for id, outcome in ((book, "UNKNOWN_BOOK"), (trader, "UNKNOWN_TRADER"), (counterparty, "UNKNOWN_COUNTERPARTY"),
                            (instrument, "UNKNOWN_INSTRUMENT")):
            if id is None:
                return outcome
        instrument = self.instrument_of[instrument]
        if side not in (BUY, SELL):
            return "INVALID_SIDE"
        if quantity <= 0:
            return "INVALID_QUANTITY"
        if price <= 0 and instrument.kind != FUTURE:
            return "INVALID_PRICE"
        if quantity > MAX_QUANTITY or not self._price_in_range(instrument, price) or abs(fees) > MAX_FEES:
            return "OUT_OF_RANGE"
        sign = 1 if side == BUY else -1
        notional = R(quantity * price * instrument.multiplier, E16)
        if abs(notional) > MAX_NOTIONAL:
            return "OUT_OF_RANGE"
        change = {}
        if trade is not None and trade.status == LIVE:
            self._add_change(change, self._five(trade.book, trade.trader, trade.counterparty), trade.instrument, -trade.signed)
        self._add_change(change, self._five(book, trader, counterparty), instrument, sign * quantity)
        if self._beyond_bound(change):
            return "OUT_OF_RANGE"
        if trade is None:
            trade = self._create(key)
        trade.status, trade.version, trade.version_seq, trade.content, trade.line = LIVE, version, self.seq, content, None
        trade.book, trade.trader, trade.counterparty, trade.instrument = book, trader, counterparty, instrument
        trade.side, trade.quantity, trade.price, trade.fees, trade.trade_time = side, quantity, price, fees, trade_time
        trade.signed, trade.notional = sign * quantity, sign * notional
        if instrument.mark_source == MARK_NONE:
            instrument.mark, instrument.mark_source, instrument.mark_time = price, MARK_TRADE, self.time
        self._count_trade(trade)
        size = R(notional * self.currencies[instrument.currency].rate, E8)
        for id in self._nodes_of(trade):
            node = self.nodes[id]
            node.largest_trade = max(node.largest_trade, size)
        return "ACCEPTED"

    @staticmethod
    def _price_in_range(instrument, price):
        return abs(price) <= MAX_PRICE and abs(price * instrument.multiplier) <= MAX_PRICE_MULTIPLIER

    # -- trade reports

    def _TradeReport(self, c):
        key, action, reference = (c["source"], c["trade_id"]), c["action"], c["reference"]
        if not valid_name(key[0], 32) or not valid_name(key[1]) or (reference != "" and not valid_name(reference)):
            return "INVALID_NAME"
        if action not in (NEW, AMEND, CANCEL) or (action == NEW and reference != ""):
            return "INVALID_ACTION"
        if key in self.parked:
            seq, waiting = self.parked[key]
            same = (waiting["reference"], self._content(waiting)) == (reference, self._content(c))
            return ("DUPLICATE", seq) if same else "CONFLICT"
        if action == NEW:
            result = self._first_report(key, c)
        elif reference in ("", key[1]):
            result = self._further_version(key, c)
        else:
            result = self._correction(key, (key[0], reference), c)
        nameable = valid_name(c["instrument"]) and (c["currency"] == "" or valid_name(c["currency"]))
        if result == "UNKNOWN_INSTRUMENT" and c["park"] and nameable:
            if len(self.parked) >= MAX_PARKED:
                return "TOO_MANY"
            self.parked[key] = (self.seq, c)
            return "PARKED"
        return result

    def _found(self, key):
        if key in self.trades:
            return self.trades[key]
        return self.links[key].trade if key in self.links else None

    def _first_report(self, key, c):
        if key in self.links:
            return "CONFLICT"
        trade = self.trades.get(key)
        if trade is None:
            return self._enter(key, c, 1)
        if trade.chain is not None:
            trade.chain.provisional = False
        self._caused_by(trade)
        return self._Trade(dict(c, version=1))

    def _further_version(self, key, c):
        trade = self._found(key)
        if trade is None:
            return self._enter(key, c, 2)
        if trade.content == self._content(c):
            return "DUPLICATE", trade.version_seq
        return self._enter((trade.source, trade.trade_id), c, trade.version + 1)

    def _correction(self, key, reference, c):
        if key in self.links:
            link = self.links[key]
            return ("DUPLICATE", link.seq) if link.content == self._content(c) else "CONFLICT"
        if key in self.trades:
            return self._re_root(self.trades[key], key, reference, c)
        trade = self._found(reference)
        of = reference if trade is None else (trade.source, trade.trade_id)
        result = self._enter(of, c, 2 if trade is None else trade.version + 1)
        if result in ("ACCEPTED", "TOMBSTONE"):
            corrected = self.trades[of]
            self._chain(corrected, provisional=trade is None)
            self._link(key, corrected, corrected.version, c)
        return result

    def _re_root(self, early, key, reference, c):
        """`early` was taken for the first report of its chain, and is this one, which corrects `reference`."""
        if early.chain is None or not early.chain.provisional:
            return "CONFLICT"
        trade, base = self._found(reference), 1
        if reference not in self.trades and reference in self.links:
            base = self.links[reference].version
        if trade is early:
            return "CONFLICT"
        mine = [link for link in self.links.values() if link.trade is early]
        if trade is None:
            del self.trades[key]
            early.trade_id, early.line = reference[1], None
            early.version += base
            self.trades[reference] = early
            self._caused_by(early)
        else:
            self._caused_by(early)
            if not self._merge(trade, early, early.version + base):
                return "OUT_OF_RANGE"
            self._chain(trade, provisional=False)
            early.chain.provisional = False
        for link in mine:
            link.version += base
            link.trade = trade or early
        self._link(key, trade or early, base + 1, c)
        return "STALE"

    def _merge(self, kept, gone, version):
        newer = version > kept.version
        loser = kept if newer else gone
        if loser.status == LIVE:
            change = {}
            self._add_change(change, self._five(loser.book, loser.trader, loser.counterparty), loser.instrument, -loser.signed)
            if self._beyond_bound(change):
                return False
        if newer:
            if gone.status == LIVE:
                for field in ("book", "trader", "counterparty", "instrument", "side", "quantity", "price", "fees", "trade_time", "signed",
                              "notional"):
                    setattr(kept, field, getattr(gone, field))
            kept.status, kept.version, kept.version_seq, kept.content = gone.status, version, gone.version_seq, gone.content
            kept.line = None
        del self.trades[gone.source, gone.trade_id]
        gone.status, gone.line = MERGED, None
        gone.book = gone.trader = gone.counterparty = gone.instrument = None
        gone.side = gone.quantity = gone.price = gone.fees = gone.trade_time = 0
        return True

    def _enter(self, key, c, version):
        """The trade `key` as the report says it, at this version."""
        if c["action"] != CANCEL:
            book, instrument = self._find(BOOK, c["book"]), self._find(INSTRUMENT, c["instrument"])
            if c["desk"] != "" and book is not None and self.nodes[self.nodes[book].parent].name != c["desk"]:
                return "WRONG_DESK"
            if c["currency"] != "" and instrument is not None:
                of = self.instrument_of[instrument]
                if of.kind != FX_PAIR and of.currency != c["currency"]:
                    return "WRONG_CURRENCY"
        result = self._Trade(dict(c, trade_id=key[1], version=version))
        if key in self.trades:
            self._caused_by(self.trades[key])
        return result

    def _caused_by(self, trade):
        self.cause = ("TRADE", "%s/%s/%d" % (trade.source, trade.trade_id, trade.version))

    def _chain(self, trade, provisional):
        if trade.chain is None:
            trade.chain = Chain(trade, provisional)
            self.chains.append(trade.chain)

    def _link(self, key, trade, version, c):
        self.links[key] = Link(self.seq, *key, trade, version, self._content(c))

    def _release(self, symbol):
        """There is an instrument of this name now."""
        waiting = [key for key, (_, c) in self.parked.items() if c["instrument"] == symbol]
        commands = [self.parked.pop(key)[1] for key in waiting]
        cause = self.cause
        for command in commands:
            self._compute_positions()
            result = self._TradeReport(command)
            if (result[0] if isinstance(result, tuple) else result) in ("ACCEPTED", "TOMBSTONE", "STALE", "DUPLICATE", "PARKED"):
                self.released += 1
            else:
                self.refused_then += 1
        self.cause = cause

    # -- FIX sessions

    def _session(self, c):
        """-> the session, or why there is none"""
        if not valid_name(c["session"]):
            return "INVALID_NAME"
        if not 1 <= c.get("number", 1) <= MAX_FIX_NUMBER:
            return "OUT_OF_RANGE"
        if c["session"] not in self.sessions:
            self.sessions[c["session"]] = FixSession(c["session"], self.time)
        return self.sessions[c["session"]]

    def _FixReceived(self, c):
        session = self._session(c)
        if isinstance(session, str):
            return session
        if c["number"] < session.next_in:
            return "STALE"
        session.next_in = c["number"] + 1
        if c["commands"] > 0 and c["reply"] != REPLY_NONE:
            self.message = FixMessage(session, self.seq, c["number"], c["commands"], c["reply"])
        return "ACCEPTED"

    def _note(self, message, outcome):
        message.outcomes.append(outcome)
        message.left -= 1
        if message.left > 0:
            return
        told = max(message.outcomes, key=weight)  # the first of the greatest weight
        if message.reply == REPLY_ALWAYS or weight(told) == 5:
            code, place = OUTCOME_CODES[told], message.outcomes.index(told)
            message.session.unanswered.append((message.seq, message.number, code, place))
        if self.message is message:
            self.message = None

    def _FixSent(self, c):
        session = self._session(c)
        if isinstance(session, str):
            return session
        if c["number"] <= session.last_sent:
            return "STALE"
        session.last_sent = c["number"]
        session.next_out = max(session.next_out, c["number"] + 1)
        self.sent.append((self.seq, list(self.sessions).index(c["session"]), c["number"]))
        if c["answers"] != 0:
            session.unanswered = [one for one in session.unanswered if one[0] != c["answers"]]
        return "ACCEPTED"

    def _FixReserved(self, c):
        session = self._session(c)
        if isinstance(session, str):
            return session
        if c["number"] <= session.last_sent:
            return "STALE"
        session.next_out = c["number"]
        return "ACCEPTED"

    def _FixReset(self, c):
        session = self._session(c)
        if isinstance(session, str):
            return session
        session.next_in = session.next_out = 1
        session.last_sent, session.created = 0, self.time
        return "ACCEPTED"

    def _Price(self, c):
        id = self._find(INSTRUMENT, c["instrument"])
        if id is None:
            return "UNKNOWN_INSTRUMENT"
        instrument, price, price_time = self.instrument_of[id], c["price"], c["price_time"]
        if price <= 0 and instrument.kind != FUTURE:
            return "INVALID_PRICE"
        if not self._price_in_range(instrument, price):
            return "OUT_OF_RANGE"
        if price_time != 0:
            if price_time < instrument.price_time:
                return "STALE"
            instrument.price_time = price_time
        instrument.mark, instrument.mark_source, instrument.mark_time = price, MARK_PRICE, self.time
        return "ACCEPTED"

    def _FxRate(self, c):
        currency, rate, rate_time = self.currencies.get(c["currency"]), c["rate"], c["rate_time"]
        if currency is None:
            return "UNKNOWN_CURRENCY"
        if not self._rate_is_valid(currency.code, rate):
            return "INVALID_RATE"
        if rate_time != 0:
            if rate_time < currency.rate_time:
                return "STALE"
            currency.rate_time = rate_time
        currency.rate = rate
        return "ACCEPTED"

    def _EndOfDay(self, c):
        if not valid_date(c["date"]):
            return "OUT_OF_RANGE"
        if c["date"] <= self.last_date:
            return "STALE"
        self.last_date = c["date"]
        for node in self.nodes:
            node.day_base, node.peak_pnl, node.largest_trade = node.total_pnl, 0, 0
        return "ACCEPTED"

    def _Timer(self, c):
        return "ACCEPTED"

    # -- limits and alerts

    def _Limit(self, c):
        name, kind, node_name, measure = c["name"], c["kind"], c["node"], c["measure"]
        warn, breach, hysteresis, owner, escalate_after = int(c["warn"]), int(c["breach"]), c["hysteresis"], c["owner"], c["escalate_after"]
        if not valid_name(name) or not valid_name(node_name) or (owner != "" and not valid_name(owner)):
            return "INVALID_NAME"
        if not FIRM <= kind <= CURRENCY or not NET <= measure <= STALE or not 0 < breach <= MAX_BREACH:
            return "INVALID_LIMIT"
        if not 0 <= warn <= breach or not 0 <= hysteresis < E8 or escalate_after < 0:
            return "INVALID_LIMIT"
        node = None
        if node_name != "*":
            node = self._find(kind, node_name)
            if node is None:
                return "UNKNOWN_NODE"
        terms = (warn, breach, hysteresis, c["hard"], owner, escalate_after)
        limit = self.limits.get(name)
        if limit is None:
            limit = self.limits[name] = Limit(self.limit_count, name, kind, node, measure)
            self.limit_count += 1
        elif (limit.kind, limit.node, limit.measure) != (kind, node, measure):
            return "IMMUTABLE_FIELD"
        elif limit.terms == terms:
            return "UNCHANGED"
        limit.terms = terms
        return "ACCEPTED"

    def _LimitRemove(self, c):
        if c["name"] not in self.limits:
            return "UNKNOWN_LIMIT"
        self.limits[c["name"]].removed = True  # all is looked at next: it goes, and a template may hold again
        return "ACCEPTED"

    def _AlertAck(self, c):
        if not valid_name(c["by"]):
            return "INVALID_NAME"
        if len(c["note"].encode("utf-8")) > 256:
            return "OUT_OF_RANGE"
        if not 1 <= c["alert_id"] <= len(self.alerts):
            return "UNKNOWN_ALERT"
        alert = self.alerts[c["alert_id"] - 1]
        if alert.cleared:
            return "ALERT_CLEARED"
        if alert.acknowledged:
            return "ALREADY_ACKNOWLEDGED"
        alert.acknowledged, alert.due, alert.by, alert.note = True, None, c["by"], c["note"]
        self._event(alert, ACKNOWLEDGED, BY_USER, alert.level)
        return "ACCEPTED"

    def _look(self):
        """Peaks, then every limit at every node it is for: by node id, then limit id. Looking at a node that nothing
        touched changes nothing (next_level is idempotent), so all are looked at."""
        for node in self.nodes:
            node.peak_pnl = max(node.peak_pnl, node.day_pnl())
        own = {(limit.node, limit.measure) for limit in self.limits.values() if limit.node is not None and not limit.removed}
        limits_at = [[] for _ in self.nodes]
        for limit in self.limits.values():
            for id in ([limit.node] if limit.node is not None else [n.id for n in self.nodes if n.kind == limit.kind]):
                limits_at[id].append(limit)
        for node, limits in zip(self.nodes, limits_at):
            for limit in limits:
                alert = self.open.get((limit.id, node.id))
                overridden = limit.node is None and (node.id, limit.measure) in own
                if not limit.removed and not overridden:
                    self._step(limit, node, alert)
                elif alert is not None:
                    self._clear(alert, LIMIT_REMOVED if limit.removed else OVERRIDDEN)
        self.limits = {name: limit for name, limit in self.limits.items() if not limit.removed}

    def _step(self, limit, node, alert):
        warn, breach, hysteresis, hard, _, escalate_after = limit.terms
        old = alert.level if alert is not None else NONE
        new = next_level(old, node.value(limit.measure, self.time), warn, breach, hysteresis)
        if new == old:
            return
        if new == NONE:
            self._clear(alert, BY_LEVEL)
            return
        if alert is None:
            alert = Alert(len(self.alerts) + 1, limit, node, self.seq)
            self.alerts.append(alert)
            self.open[limit.id, node.id] = alert
        alert.level, alert.due = new, None
        if new == BREACH:
            alert.acknowledged, alert.by, alert.note = False, "", ""
            if hard and escalate_after > 0:
                alert.due = self.time + escalate_after
        self._event(alert, RAISED if old == NONE else ESCALATED if new == BREACH else EASED, BY_LEVEL, new)

    def _clear(self, alert, reason):
        fell_from, alert.level, alert.cleared, alert.due = alert.level, NONE, True, None
        del self.open[alert.limit.id, alert.node.id]
        self._event(alert, CLEARED, reason, fell_from)

    def _event(self, alert, step, reason, threshold_level):
        limit, node = alert.limit, alert.node
        warn, breach, _, hard, owner, _ = limit.terms
        self.event_count += 1
        alert.last_event = self.event_count
        self.events.append({
            "event": self.event_count, "alert": alert.id, "step": step, "reason": reason, "seq": self.seq, "time": self.time,
            "limit": limit.name, "node_kind": node.kind, "node": node.name, "measure": limit.measure, "level": alert.level,
            "value": str(node.value(limit.measure, self.time)), "threshold": str(breach if threshold_level == BREACH else warn),
            "hard": hard, "owner": owner, "by": alert.by, "note": alert.note, "cause": self.cause[0], "cause_key": self.cause[1]})

    # -- what follows from the facts

    def _compute_positions(self):
        """Q, C and the count of each position, from all the live trades."""
        parent = [node.parent for node in self.nodes]
        position = {}
        for t in self.history:
            if t.status != LIVE:
                continue
            signed, cash, i = t.signed, -t.notional - t.fees, t.instrument.index
            for node in (FIRM_NODE, parent[t.book], t.book, t.trader, t.counterparty):
                key = (node, i)
                p = position.get(key)
                if p is None:
                    position[key] = [signed, cash, 1, 0]
                else:
                    p[0] += signed
                    p[1] += cash
                    p[2] += 1
        for (_, i), p in position.items():
            instrument = self.instruments[i]
            p[3] = R(p[0] * instrument.mark * instrument.multiplier, E16)
        self.position = position

    def _compute_measures(self):
        """The measures of every node, from all the positions; sums in each currency before conversion."""
        sums = {}  # (node id, currency code) -> [sum V, long, short, sum C, stale]
        sizes = [[] for _ in self.nodes]
        stale = [i.is_stale(self.time) for i in self.instruments]
        above = [[i.node, i.underlying, self.currencies[i.currency].node] + ([] if i.sector is None else [i.sector])
                 for i in self.instruments]
        for (node, i), (_, cash, _, v) in self.position.items():
            code = self.instruments[i].currency
            size = (abs(v), self.currencies[code].rate)
            for id in ([FIRM_NODE] + above[i] if node == FIRM_NODE else (node,)):
                s = sums.get((id, code))
                if s is None:
                    s = sums[id, code] = [0, 0, 0, 0, 0]
                s[0] += v
                s[1 if v > 0 else 2] += size[0]
                s[3] += cash
                if stale[i]:
                    s[4] += size[0]
                sizes[id].append(size)
        for node in self.nodes:
            node.net = node.long = node.short = node.total_pnl = node.stale = 0
            node.sizes = sizes[node.id]
        for (id, code), (v, long, short, cash, old) in sums.items():
            node, rate = self.nodes[id], self.currencies[code].rate
            node.net += R(v * rate, E8)
            node.long += R(long * rate, E8)
            node.short += R(short * rate, E8)
            node.total_pnl += R((v + cash) * rate, E8)
            node.stale += R(old * rate, E8)

    def _symbol(self, i):
        return self.nodes[self.instruments[i].node].name

    def _listed(self):
        """(node, symbol, instrument index, position) by node id, then symbol"""
        symbols = [self._symbol(i) for i in range(len(self.instruments))]
        for node, symbol, i in sorted((node, symbols[i], i) for node, i in self.position):
            yield self.nodes[node], symbol, i, self.position[node, i]

    def _average_cost(self, node, i):
        """-> (cost K, realised): the fold of the position's live trades in the order of seq"""
        q = cost = realised = 0
        for t in self.history:
            if t.status != LIVE or t.instrument.index != i or node not in self._five(t.book, t.trader, t.counterparty):
                continue
            s, n = t.signed, t.notional
            realised -= t.fees
            if q == 0 or (s > 0) == (q > 0):
                q += s
                cost += n
            elif abs(s) <= abs(q):
                k = R(cost * abs(s), abs(q))
                realised += -n - k
                cost -= k
                q += s
            else:
                n1 = R(n * abs(q), abs(s))
                realised += -n1 - cost
                cost = n - n1
                q += s
        return cost, realised

    def positions(self):
        """[[node kind, node name, symbol, Q, C, count, V, K, average price, realised, unrealised]], numbers as text"""
        rows = []
        for node, symbol, i, (q, cash, count, v) in self._listed():
            cost, realised = self._average_cost(node.id, i)
            assert realised + v - cost == v + cash
            average = R(cost * E16, q * self.instruments[i].multiplier) if q != 0 else 0
            rows.append([str(node.kind), node.name, symbol, *map(str, (q, cash, count, v, cost, average, realised, v - cost))])
        return rows

    # -- digest

    def _trade_line(self, t):
        def name(id):
            return "" if id is None else self.nodes[id].name

        symbol = "" if t.instrument is None else name(t.instrument.node)
        fields = ("trade", t.seq, t.version_seq, t.source, t.trade_id, t.version, t.status, name(t.book), name(t.trader),
                  name(t.counterparty), symbol, t.side, t.quantity, t.price, t.fees, t.trade_time)
        return "\x1f".join(map(str, fields))

    def digest_lines(self):
        return self._lines_before_trades() + self._trade_lines() + self._lines_after_trades()

    def _lines_before_trades(self):
        nodes, time = self.nodes, self.time
        lines = [f"firm\x1f{self.firm}\x1f{self.firm_currency}\x1f{self.last_date}"]
        for n in nodes:
            parent = "" if n.parent is None else nodes[n.parent].name
            lines.append(f"node\x1f{n.id}\x1f{n.kind}\x1f{n.name}\x1f{parent}")
        for code in sorted(self.currencies):
            currency = self.currencies[code]
            lines.append(f"currency\x1f{code}\x1f{currency.rate}\x1f{currency.rate_time}")
        for i in sorted(self.instruments, key=lambda i: nodes[i.node].name):
            fields = ("instrument", nodes[i.node].name, i.kind, i.currency, i.multiplier, nodes[i.underlying].name,
                      "" if i.sector is None else nodes[i.sector].name, i.issuer, i.expiry, i.stale_after, i.mark,
                      i.mark_source, i.mark_time, i.price_time, int(i.is_stale(time)))
            lines.append("\x1f".join(map(str, fields)))
        return lines

    def _trade_lines(self):
        for t in self.history:
            if t.line is None:
                t.line = self._trade_line(t)
        return [t.line for t in self.history]

    def _lines_after_trades(self):
        nodes, time, lines = self.nodes, self.time, []
        for n, symbol, _, (q, cash, count, v) in self._listed():
            lines.append(f"position\x1f{n.kind}\x1f{n.name}\x1f{symbol}\x1f{q}\x1f{cash}\x1f{count}\x1f{v}")
        for n in nodes:
            lines.append(f"measures\x1f{n.id}\x1f{n.net}\x1f{n.long}\x1f{n.short}\x1f{n.total_pnl}\x1f{n.day_base}"
                         f"\x1f{n.peak_pnl}\x1f{n.largest_trade}\x1f{n.trade_rate(time)}\x1f{n.stale}")
        for limit in self.limits.values():
            warn, breach, hysteresis, hard, owner, escalate_after = limit.terms
            name = "*" if limit.node is None else nodes[limit.node].name
            lines.append(f"limit\x1f{limit.name}\x1f{limit.kind}\x1f{name}\x1f{limit.measure}\x1f{warn}\x1f{breach}\x1f{hysteresis}"
                         f"\x1f{int(hard)}\x1f{owner}\x1f{escalate_after}")
        for a in self.alerts:
            lines.append(f"alert\x1f{a.id}\x1f{a.limit.name}\x1f{a.node.id}\x1f{a.limit.measure}\x1f{a.level}\x1f{int(a.acknowledged)}"
                         f"\x1f{int(a.cleared)}\x1f{a.raised_seq}\x1f{a.last_event}")
        return lines + self._report_lines() + self._fix_lines()

    def _report_lines(self):
        lines = [f"chain\x1f{chain.trade.seq}\x1f{int(chain.provisional)}" for chain in self.chains]
        lines += [f"link\x1f{link.seq}\x1f{link.source}\x1f{link.trade_id}\x1f{link.trade.seq}\x1f{link.version}"
                  for link in self.links.values()]
        lines += [f"parked\x1f{seq}" for seq, _ in self.parked.values()]
        return lines + [f"released\x1f{self.released}\x1f{self.refused_then}"]

    def _fix_lines(self):
        lines = []
        for s in self.sessions.values():
            lines.append(f"fix\x1f{s.name}\x1f{s.next_in}\x1f{s.next_out}\x1f{s.last_sent}\x1f{s.created}")
            lines += ["unanswered\x1f%d\x1f%d\x1f%d\x1f%d" % one for one in s.unanswered]
        return lines + ["sent\x1f%d\x1f%d\x1f%d" % one for one in self.sent]

    def digest(self):
        def sha256(lines):
            return hashlib.sha256("".join(line + "\n" for line in lines).encode("utf-8"))

        trades = self._trade_lines()
        blocks = b"".join(sha256(trades[at:at + 64]).digest() for at in range(0, len(trades), 64))
        line = f"trades\x1f{len(trades)}\x1f{hashlib.sha256(blocks).hexdigest()}"
        return sha256(self._lines_before_trades() + [line] + self._lines_after_trades()).hexdigest()


def effective(then, known, time):
    """-> rows of what was effective at `time`: the trades `known`, at the prices, rates and belongings of `then`; as compare.py says"""
    books = copy.deepcopy(known)
    books.time = then.time
    for node in books.nodes:
        was = then.nodes[node.id] if node.id < len(then.nodes) else Node(node.id, node.kind, node.name)
        if node.id < len(then.nodes):
            node.parent = was.parent
        node.day_base, node.peak_pnl, node.largest_trade, node.seconds = was.day_base, was.peak_pnl, was.largest_trade, was.seconds
    for instrument in books.instruments:
        fields = ("mark", "mark_source", "mark_time", "price_time")
        was = Instrument(instrument.index, instrument.node)
        if instrument.index < len(then.instruments):
            was = then.instruments[instrument.index]
            fields += ("underlying", "sector", "issuer", "expiry", "stale_after")
        for field in fields:
            setattr(instrument, field, getattr(was, field))
    for code, was in then.currencies.items():
        books.currencies[code].rate = was.rate
    for trade in books.history:
        done = trade.trade_time <= time if trade.trade_time != 0 else trade.seq <= then.seq
        if trade.status == LIVE and not done:
            trade.status = CANCELLED
        elif trade.status == LIVE and trade.instrument.mark_source == MARK_NONE:
            trade.instrument.mark, trade.instrument.mark_source = trade.price, MARK_TRADE
    books._compute_positions()
    for key, position in books.position.items():
        was = then.position[key][0] if key in then.position else 0
        if abs(position[0]) > MAX_POSITION and abs(position[0]) > abs(was):
            return [["refused"]]
    books._compute_measures()
    rows = [["trade", t.source, t.trade_id, t.version] for t in books.history if t.status == LIVE]
    rows += [["position"] + row for row in books.positions()]
    for n in books.nodes:
        parent = "" if n.parent is None else books.nodes[n.parent].name
        peak = max(n.peak_pnl, n.day_pnl())
        rows.append(["node", n.id, n.name, parent, n.net, n.long, n.short, n.total_pnl, n.day_pnl(), peak - n.day_pnl(), n.concentration(),
                     n.largest_trade, n.trade_rate(books.time) // E8, n.stale])
    return rows


def effects(model, command, kept=None):
    """What a driver prints for this command, as a dict. `kept`: the models after commands that were asked what was effective, by seq."""
    outcome, first_seq, events = model.apply(command["seq"], command["time"], command)
    result = {"seq": command["seq"], "outcome": outcome, "first_seq": first_seq, "digest": model.digest(), "events": events}
    if command.get("dump"):
        result["positions"] = model.positions()
        result["lines"] = model.digest_lines()
    if "effective" in command:
        kept[command["seq"]] = copy.deepcopy(model)
        result["effective"] = [[[seq, time]] + row for seq, time in command["effective"] for row in effective(kept[seq], model, time)]
    return result


def main():
    model, kept = Model(), {0: Model()}
    for line in sys.stdin:
        print(json.dumps(effects(model, json.loads(line), kept)), flush=True)


if __name__ == "__main__":
    main()
