"""Message bodies as an ordinary order system sends them: lists of (tag, value), MsgType(35) first. Both versions say the same."""
import datetime

HEADER = ("8", "9", "35", "34", "49", "56", "52", "43", "97", "122", "50", "115", "116")
# Tags of the repeating groups used here: they come more than once.
IN_GROUPS = {"54", "37", "1", "448", "447", "452", "269", "270", "271", "279"}
NEW, CORRECT, CANCEL = "new", "correct", "cancel"
SIDES = {"buy": 1, "sell": 2}


def utc(offset=0):
    """The time now, or so many seconds later, as FIX writes it."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset)).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


def parties(trader, counterparty):
    return [(453, 2), (448, trader), (447, "D"), (452, 12), (448, counterparty), (447, "D"), (452, 17)]


def execution(version, exec_id, book="b1", kind=NEW, ref=None, side="buy", quantity=100, price=10, symbol="AAPL", trader="anna",
              counterparty="street", partial=False, time=None, more=()):
    """ExecutionReport of a trade, its correction or its cancel."""
    fields = [(35, "8")] + ([(50, trader)] if version == "4.2" else []) + [(37, "o-" + exec_id), (17, exec_id)]
    if ref is not None:
        fields.append((19, ref))
    done = [(39, 1 if partial else 2)]
    if version == "4.2":
        fields += [(20, {NEW: 0, CANCEL: 1, CORRECT: 2}[kind]), (150, 1 if partial else 2)] + done
    else:
        fields += [(150, {NEW: "F", CORRECT: "G", CANCEL: "H"}[kind])] + done + parties(trader, counterparty)
    fields += [(1, book), (55, symbol), (54, SIDES[side]), (38, quantity)]
    if version == "4.2":
        fields.append((76, counterparty))
    fields += [(32, quantity), (31, price), (151, quantity if partial else 0), (14, quantity), (6, price), (60, time or utc()), *more]
    return fields


def capture(report_id, book="b1", kind=NEW, ref=None, side="buy", quantity=100, price=10, symbol="AAPL", trader="anna",
            counterparty="street", other_side=None, time=None, more=()):
    """TradeCaptureReport (4.4) with one side, or with a second one of (book, trader)."""
    fields = [(35, "AE"), (571, report_id), (487, {NEW: 0, CANCEL: 1, CORRECT: 2}[kind])]
    if ref is not None:
        fields.append((572, ref))
    sides = [(side, book, trader)]
    if other_side is not None:
        sides.append(("sell" if side == "buy" else "buy", *other_side))
    fields += [(570, "N"), (55, symbol), (32, quantity), (31, price), (75, utc()[:8]), (60, time or utc()), (552, len(sides))]
    for number, (one_side, one_book, one_trader) in enumerate(sides, 1):
        fields += [(54, SIDES[one_side]), (37, f"o-{report_id}-{number}"), *parties(one_trader, counterparty), (1, one_book)]
    return fields + list(more)


def snapshot(symbol, price, md_req_id="md"):
    """MarketDataSnapshotFullRefresh with the last trade's price."""
    return [(35, "W"), (262, md_req_id), (55, symbol), (268, 1), (269, 2), (270, price), (271, 100)]


def incremental(symbol, price, md_req_id="md"):
    """MarketDataIncrementalRefresh with a new trade price."""
    return [(35, "X"), (262, md_req_id), (268, 1), (279, 0), (269, 2), (55, symbol), (270, price), (271, 100)]
