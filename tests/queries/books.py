"""The compact language of tests/queries/*.test as commands (README.md), and the driver that answers queries over them."""
import datetime
import decimal
import fractions
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIVER = pathlib.Path(os.environ.get("HALOCLINE_BIN", ROOT / "build/release/halocline")).parent / "query_driver"
KINDS = ["", "firm", "desk", "book", "trader", "counterparty", "instrument", "underlying", "sector", "currency"]
INSTRUMENTS = ["", "equity", "future", "fx_pair"]
MEASURES = ["", "net", "gross", "long", "short", "day_loss", "total_loss", "drawdown", "concentration", "largest_trade", "trade_rate", "stale"]
START = 1_795_514_400_000_000_000  # 2026-11-24T10:00:00Z


def e8(text):
    return int(fractions.Fraction(text) * 10**8)  # exact at any size


def instant(text):
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(when.timestamp()) * 10**9 + when.microsecond * 1000


def span(text):
    return int(decimal.Decimal(text.removesuffix("s")) * 10**9)


class Books:
    """A driver process with books of its own."""

    def __init__(self):
        self.process = subprocess.Popen([DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.seq, self.time = 0, START

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def tell(self, message):
        self.process.stdin.write(json.dumps(message, ensure_ascii=False) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"the driver ended with {self.process.wait(timeout=60)} at {message}")
        return json.loads(answer)

    def command(self, fields):
        self.seq += 1
        return self.tell({"seq": self.seq, "time": self.time, **fields})

    def query(self, sql, parameters=None):
        return self.tell({"query": sql, "parameters": parameters or {}})

    def line(self, text):
        """One line of the compact language; -> the answer, None for `at`."""
        words = [w for w in text.split() if "=" not in w]
        named = dict(w.split("=", 1) for w in text.split() if "=" in w)
        verb, args = words[0], words[1:]
        if verb == "at":
            self.time = instant(args[0])
            return None
        return self.command(getattr(self, "_" + verb)(args, named))

    def _firm(self, a, _):
        return {"type": "Firm", "name": a[0], "currency": a[1]}

    def _currency(self, a, _):
        return {"type": "Currency", "code": a[0], "rate": e8(a[1])}

    def _desk(self, a, _):
        return {"type": "Desk", "name": a[0]}

    def _book(self, a, _):
        return {"type": "Book", "name": a[0], "desk": a[1]}

    def _trader(self, a, _):
        return {"type": "Trader", "name": a[0], "desk": a[1] if len(a) > 1 else ""}

    def _counterparty(self, a, _):
        return {"type": "Counterparty", "name": a[0]}

    def _instrument(self, a, n):
        return {"type": "Instrument", "symbol": a[0], "kind": INSTRUMENTS.index(a[1]), "currency": a[2], "multiplier": e8(n.get("multiplier", "1")),
                "underlying": n.get("underlying", ""), "sector": n.get("sector", ""), "issuer": n.get("issuer", ""),
                "expiry": int(n.get("expiry", 0)), "stale_after": span(n.get("stale_after", "0"))}

    def _trade_fields(self, key, version, action, a, n):
        source, trade_id = key.split("/", 1)
        a = a or ["", "", "", "", "BUY", "0", "0"]
        side = {"BUY": 1, "SELL": 2}[a[4]] if a[0] else 0
        return {"type": "Trade", "source": source, "trade_id": trade_id, "version": version, "action": action, "book": a[0], "trader": a[1],
                "counterparty": a[2], "instrument": a[3], "side": side, "quantity": e8(a[5]), "price": e8(a[6]), "fees": e8(n.get("fees", "0")),
                "trade_time": instant(n["time"]) if "time" in n else 0}

    def _trade(self, a, n):
        return self._trade_fields(a[0], 1, 1, a[1:], n)

    def _amend(self, a, n):
        return self._trade_fields(a[0], int(a[1][1:]), 2, a[2:], n)

    def _cancel(self, a, n):
        return self._trade_fields(a[0], int(a[1][1:]), 3, [], n)

    def _price(self, a, n):
        return {"type": "Price", "instrument": a[0], "price": e8(a[1]), "price_time": instant(n["time"]) if "time" in n else 0}

    def _fx(self, a, _):
        return {"type": "FxRate", "currency": a[0], "rate": e8(a[1]), "rate_time": 0}

    def _limit(self, a, n):
        kind, node = a[1].split(":")
        return {"type": "Limit", "name": a[0], "kind": KINDS.index(kind), "node": node, "measure": MEASURES.index(a[2]),
                "warn": str(e8(n.get("warn", "0"))), "breach": str(e8(n["breach"])), "hysteresis": e8(n.get("hysteresis", "0")),
                "hard": "hard" in a[3:], "owner": n.get("owner", ""), "escalate_after": span(n.get("escalate_after", "0"))}

    def _remove(self, a, _):
        return {"type": "LimitRemove", "name": a[0]}

    def _ack(self, a, n):
        return {"type": "AlertAck", "alert_id": int(a[0]), "by": a[1], "note": n.get("note", "")}

    def _eod(self, a, _):
        return {"type": "EndOfDay", "date": int(a[0])}

    def _rename(self, a, _):
        return {"type": "Rename", "kind": KINDS.index(a[0]), "from": a[1], "to": a[2]}

    def statement(self, sql):
        """CREATE and DROP, as the server makes commands of them"""
        request = self.tell({"statement": sql})
        return request if "error" in request else self.command(request)

    def _timer(self, _a, _n):
        return {"type": "Timer"}
