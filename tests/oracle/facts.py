"""What the model is made of: the codes and bounds of docs/semantics.md, its arithmetic, and the records that keep facts."""

FIRM, DESK, BOOK, TRADER, COUNTERPARTY, INSTRUMENT, UNDERLYING, SECTOR, CURRENCY = range(1, 10)
RENAMEABLE = (DESK, BOOK, TRADER, COUNTERPARTY, INSTRUMENT, SECTOR, UNDERLYING)
NEW, AMEND, CANCEL = 1, 2, 3
BUY, SELL = 1, 2
LIVE, CANCELLED, MERGED = 1, 2, 3
EQUITY, FUTURE, FX_PAIR = 1, 2, 3
REPLY_NONE, REPLY_ALWAYS, REPLY_WHEN_REFUSED = 0, 1, 2
MAX_PARKED = 65536
MAX_FIX_NUMBER = 2 * 10**9
MARK_NONE, MARK_TRADE, MARK_PRICE = 0, 1, 2
NET, GROSS, LONG, SHORT, DAY_LOSS, TOTAL_LOSS, DRAWDOWN, CONCENTRATION, LARGEST_TRADE, TRADE_RATE, STALE = range(1, 12)
NONE, WARN, BREACH = 0, 1, 2
RAISED, ESCALATED, EASED, ACKNOWLEDGED, CLEARED = 1, 2, 3, 4, 5
BY_LEVEL, UNACKNOWLEDGED, BY_USER, LIMIT_REMOVED, OVERRIDDEN = 1, 2, 3, 4, 5

OUTCOME_CODES = {name: code for code, name in enumerate(
    ("", "ACCEPTED", "TOMBSTONE", "UNCHANGED", "DUPLICATE", "STALE", "PARKED", *[""] * 9, "CONFLICT", "NO_FIRM", "ALREADY_SET", "INVALID_NAME",
     "INVALID_VERSION", "INVALID_ACTION", "INVALID_SIDE", "INVALID_QUANTITY", "INVALID_PRICE", "INVALID_RATE", "INVALID_LIMIT", "OUT_OF_RANGE",
     "UNKNOWN_BOOK", "UNKNOWN_TRADER", "UNKNOWN_COUNTERPARTY", "UNKNOWN_INSTRUMENT", "UNKNOWN_CURRENCY", "UNKNOWN_DESK", "UNKNOWN_NAME",
     "UNKNOWN_NODE", "UNKNOWN_LIMIT", "UNKNOWN_ALERT", "IMMUTABLE_FIELD", "NAME_TAKEN", "ALERT_CLEARED", "ALREADY_ACKNOWLEDGED", "TOO_MANY",
     "WRONG_DESK", "WRONG_CURRENCY")) if name}

E8 = 10**8
E16 = 10**16
SECOND = 10**9
MAX_QUANTITY = 10**10 * E8
MAX_PRICE = 10**9 * E8
MAX_PRICE_MULTIPLIER = 10**9 * E16
MAX_FEES = 10**10 * E8
MAX_MULTIPLIER = 10**6 * E8
MAX_RATE = 10**5 * E8
MAX_NOTIONAL = 10**12 * E8
MAX_POSITION = 10**11 * E8
MAX_BREACH = 10**18 * E8
WINDOW = 10  # seconds of trade_rate
FIRM_NODE = 0  # the FIRM node is always the first


def R(a, b):
    """a / b rounded to the nearest integer, ties to even; any signs, any size."""
    if b < 0:
        a, b = -a, -b
    q, r = divmod(a, b)
    r += r
    if r > b or (r == b and q & 1):
        q += 1
    return q


def valid_name(name, most=64):
    try:
        data = name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return 1 <= len(data) <= most and all(byte >= 0x20 and byte != 0x7F for byte in data)


def valid_date(date):
    """yyyymmdd of the calendar, 19000101..99991231."""
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if not (1900 <= year <= 9999 and 1 <= month <= 12):
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def next_level(level, v, warn, breach, hysteresis):
    def clear(x):
        return x - R(x * hysteresis, E8)

    if v >= breach:
        return BREACH
    if level == BREACH and v > clear(breach):
        return BREACH
    if warn > 0 and v >= warn:
        return WARN
    if level >= WARN and warn > 0 and v > clear(warn):
        return WARN
    return NONE


def weight(outcome):
    """How much it matters to a sender."""
    if OUTCOME_CODES[outcome] >= 16:
        return 5
    return {"PARKED": 4, "STALE": 3, "DUPLICATE": 2}.get(outcome, 1)


class Node:
    def __init__(self, id, kind, name):
        self.id, self.kind, self.name = id, kind, name
        self.parent = None  # node id of the desk of a book or trader
        self.day_base = self.peak_pnl = self.largest_trade = 0
        self.seconds = {}  # second of the journal's time -> trade commands counted
        # Computed anew from the positions:
        self.net = self.long = self.short = self.total_pnl = self.stale = 0
        self.sizes = []  # (|V|, rate) of each position

    def day_pnl(self):
        return self.total_pnl - self.day_base

    def trade_rate(self, time):
        last = time // SECOND
        return E8 * sum(n for second, n in self.seconds.items() if last - WINDOW < second <= last)

    def concentration(self):
        gross = self.long + self.short
        if gross == 0:
            return 0
        return R(max(R(size * rate, E8) for size, rate in self.sizes) * E8, gross)

    def value(self, measure, time):
        """What a limit on this measure compares."""
        if measure == NET:
            return abs(self.net)
        if measure == GROSS:
            return self.long + self.short
        if measure == LONG:
            return self.long
        if measure == SHORT:
            return self.short
        if measure == DAY_LOSS:
            return -self.day_pnl()
        if measure == TOTAL_LOSS:
            return -self.total_pnl
        if measure == DRAWDOWN:
            return self.peak_pnl - self.day_pnl()
        if measure == CONCENTRATION:
            return self.concentration()
        if measure == LARGEST_TRADE:
            return self.largest_trade
        if measure == TRADE_RATE:
            return self.trade_rate(time)
        assert measure == STALE
        return self.stale


class Currency:
    def __init__(self, code, rate, node):
        self.code, self.rate, self.node = code, rate, node
        self.rate_time = 0  # highest rate_time, 0 at first


class Instrument:
    def __init__(self, index, node):
        self.index, self.node = index, node
        self.kind = self.currency = self.multiplier = self.underlying = self.sector = None  # currency: code; others: node ids
        self.issuer, self.expiry, self.stale_after = "", 0, 0
        self.mark, self.mark_source, self.mark_time = 0, MARK_NONE, 0
        self.price_time = 0  # highest price_time, 0 at first

    def is_stale(self, time):
        return self.mark_source == MARK_PRICE and self.stale_after > 0 and time >= self.mark_time + self.stale_after


class Trade:
    def __init__(self, seq, source, trade_id):
        self.seq, self.source, self.trade_id = seq, source, trade_id
        self.version = self.version_seq = 0
        self.status = CANCELLED
        self.content = None  # of the current version
        self.book = self.trader = self.counterparty = self.instrument = None
        self.side = self.quantity = self.price = self.fees = self.trade_time = 0
        self.signed = self.notional = 0  # signed quantity s, signed notional n
        self.line = None  # its digest line; dropped when it or any name changes
        self.chain = None


class Chain:
    """A trade that reports have corrected."""

    def __init__(self, trade, provisional):
        self.trade, self.provisional = trade, provisional  # provisional: the trade's own first report is not known yet


class Link:
    """A report that is not the first of its chain."""

    def __init__(self, seq, source, trade_id, trade, version, content):
        self.seq, self.source, self.trade_id, self.trade, self.version, self.content = seq, source, trade_id, trade, version, content


class FixSession:
    def __init__(self, name, created):
        self.name, self.created = name, created
        self.next_in = self.next_out = 1
        self.last_sent = 0
        self.unanswered = []  # (seq, number, outcome, place of the command told of)


class FixMessage:
    """Whose commands come next."""

    def __init__(self, session, seq, number, commands, reply):
        self.session, self.seq, self.number, self.left, self.reply = session, seq, number, commands, reply
        self.outcomes = []


class Limit:
    def __init__(self, id, name, kind, node, measure):
        self.id, self.name, self.kind, self.node, self.measure = id, name, kind, node, measure  # node None: template
        self.removed = False  # only while the removal is looked at
        self.terms = None  # (warn, breach, hysteresis, hard, owner, escalate_after)


class Alert:
    def __init__(self, id, limit, node, seq):
        self.id, self.limit, self.node, self.raised_seq = id, limit, node, seq
        self.level, self.acknowledged, self.cleared, self.last_event = NONE, False, False, 0
        self.by = self.note = ""  # of the acknowledgement that holds
        self.due = None  # time at which the unacknowledged breach escalates
