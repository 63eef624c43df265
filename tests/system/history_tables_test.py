#!/usr/bin/env python3
"""The other tables of the history: what they say now is what the server's own listings say, what they say of the past is what was sent.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/history_tables_test.py [-v]
"""
import json
import pathlib
import signal
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from history_server import HistoryCase  # noqa: E402

# The newest row of each key: what a reader asks of a table that has a row for each change.
NEWEST = "SELECT {columns} FROM lake.halocline.{table} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY seq DESC) = 1"


def e8(text):
    """A decimal as DuckDB gives it, with all its eight places."""
    return Decimal(text).quantize(Decimal("1e-8"))


def amounts(row, names):
    return tuple(Decimal(row[name]) for name in names)


class TablesCase(HistoryCase):
    def setUp(self):
        super().setUp()
        self.prices = []  # rows of prices, as they were sent and answered

    def ok(self, *args):
        done = self.cli(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def listing(self, *args):
        return json.loads(self.ok(*args, "--json").stdout)

    def trade(self, trade_id, instrument="AAPL", side="buy", quantity="100", price="190", trader="T001", book="eq-us", **more):
        options = [word for name, value in more.items() for word in (f"--{name}", value)]
        self.ok("trade", "--source", "oms", "--id", trade_id, "--book", book, "--trader", trader, "--counterparty", "street", "--instrument",
                instrument, "--side", side, "--quantity", quantity, "--price", price, *options)

    def price(self, instrument, price, command="price"):
        answer = json.loads(self.cli(command, instrument, price, "--json").stdout)
        kind = "PRICE" if command == "price" else "FX_RATE"
        names = (instrument, None) if command == "price" else (None, instrument)
        self.prices.append((int(answer["seq"]), kind, answer["outcome"], *names, Decimal(price)))

    def story(self, settle=None):
        """Something of everything, over several commits."""
        settle = settle or self.settle
        self.ok("limit", "set", "gross", "--on", "trader:*", "--measure", "gross", "--warn", "10000", "--breach", "20000", "--hysteresis", "0.05")
        self.ok("limit", "set", "cash", "--on", "desk:cash", "--measure", "net", "--breach", "1000000", "--hard", "--owner", "risk", "--escalate-after",
                "5m")
        self.ok("query", "CREATE ALERT large SEVERITY WARN AS SELECT trade_id, quantity FROM trades WHERE quantity >= 70")
        self.price("AAPL", "187.5")
        self.price("nothing", "1")
        self.price("EUR", "1.1", "fx")
        self.trade("1", quantity="60")
        self.trade("2", instrument="SAP", book="eq-eu", price="120.25", quantity="30")
        settle()
        self.trade("3", quantity="70")                                # T001 breaches
        self.trade("2", version=2, action="AMEND", instrument="SAP", book="eq-eu", price="121", quantity="10")
        self.trade("4", quantity="10", side="sell", trader="T002")
        self.price("AAPL", "12.5")                                    # … and is cleared
        self.ok("limit", "set", "gross", "--on", "trader:*", "--measure", "gross", "--breach", "30000")
        settle()
        self.trade("4", version=2, action="CANCEL", quantity="10", side="sell", trader="T002")  # a position is closed
        self.ok("ref", "rename", "desk", "cash", "equities")
        self.ok("ref", "rename", "instrument", "SAP", "SAPX")
        self.ok("ref", "rename", "sector", "technology", "software")
        self.ok("limit", "remove", "gross")
        self.price("AAPL", "300")

    def settle(self):
        """All so far is committed."""
        self.wait_for_commit(self.listing("status")["last_seq"])

    def newest(self, table, key, columns):
        return sorted(self.ask(NEWEST.format(columns=", ".join(columns), table=table, key=key)))

    def current(self, table, columns):
        return sorted(self.ask(f"SELECT {', '.join(columns)} FROM lake.halocline.{table} WHERE current"), key=str)

    MONEY = ("quantity", "average_price", "cost", "market_value", "realised", "unrealised", "total_pnl")
    MEASURES = ("net", "gross", "long", "short", "total_pnl", "day_pnl", "drawdown", "concentration", "largest_trade", "stale")

    def check(self):
        positions = self.newest("positions", "node_kind, node, instrument", ("node_kind", "node", "instrument", "currency", *self.MONEY, "trades"))
        listed = [row for kind in ("firm", "desk", "book", "trader", "counterparty") for row in self.listing("positions", kind)["positions"]]
        # A row has the names of its time: those of renamed things are there under the old name until they change.
        renames = {"SAP": "SAPX", "cash": "equities"}
        renamed = {}
        for row in positions:
            renamed[tuple(renames.get(name, name) for name in row[:3])] = row[3:]
        self.assertEqual({key: row for key, row in renamed.items() if row[-1] > 0},
                         {(row["kind"], row["node"], row["instrument"]): (row["currency"], *amounts(row, self.MONEY), row["trades"]) for row in listed})
        nodes = self.newest("nodes", "node_id", ("node_id", "node_kind", "node", *(f'"{name}"' for name in self.MEASURES)))
        self.assertEqual(nodes, sorted((row["id"], row["kind"], row["name"], *amounts(row, self.MEASURES)) for row in self.listing("nodes")["nodes"]))
        self.check_versions()
        self.assertEqual(self.by_pyiceberg("prices", ["seq", "command", "outcome", "instrument", "currency", "price"])[-len(self.prices):], self.prices)
        columns = ["event_id", "alert_id", "step", "reason", '"limit"', "node_kind", "node", "measure", "level", "value", "threshold", "cause", "seq", "query", "row"]
        events = self.ok("alerts", "--follow", "--from", "0", "--count", str(self.listing("status")["last_event_id"]), "--json").stdout
        told = [json.loads(line) for line in events.splitlines()]
        self.assertGreaterEqual(len(told), 3)
        self.assertEqual(self.by_duckdb("alerts", columns),
                         [(int(row["event_id"]), int(row["alert_id"]), row["step"], row["reason"],
                           *(row[name] or None for name in ("limit", "kind", "node", "measure")), row["level"],
                           *(None if row["query"] else Decimal(row[name]) for name in ("value", "threshold")), row["cause"], int(row["seq"]),
                           row["query"] or None, row["row"] or None) for row in told])
        self.assertIn("large", [row["query"] for row in told])

    def check_versions(self):
        """What holds now, and that what held before ended where the next began."""
        limits = self.current("limits", ("name", "node_kind", "node", "measure", "warn", "breach", "hysteresis", "hard", "owner", "escalate_after_ns"))
        listed = self.listing("limit", "list")["limits"]
        self.assertEqual([str(row) for row in limits], sorted(
            str((row["name"], row["kind"], row["node"], row["measure"], e8(row["warn"]) or None, e8(row["breach"]), e8(row["hysteresis"]), row["hard"],
                 row["owner"] or None, int(row["escalate_after_ns"]))) for row in listed))
        listed = self.listing("ref", "list")
        names = [("firm", listed["firm"]["name"], None, listed["firm"]["currency"])]
        for kind in ("currency", "desk", "book", "trader", "counterparty", "instrument"):
            key = {"currency": "code", "instrument": "symbol"}.get(kind, "name")
            names += [(kind, row[key], row.get("desk") or None, row.get("currency")) for row in listed[kind]]
        self.assertEqual(self.current("reference", ("kind", "name", "desk", "currency")), sorted(names, key=str))
        instruments = self.ask("SELECT name, instrument_kind, multiplier, underlying, sector, stale_after_ns, strftime(expiry, '%Y%m%d') "
                               "FROM lake.halocline.reference WHERE kind = 'instrument' AND current")
        self.assertEqual(sorted(instruments, key=str),
                         sorted(((row["symbol"], row["kind"], e8(row["multiplier"]), row["underlying"], row["sector"] or None, int(row["stale_after_ns"]),
                                  str(row["expiry"]) if row["expiry"] else None) for row in listed["instrument"]), key=str))
        for table, thing in (("limits", "name"), ("reference", "thing")):
            gaps = self.ask(f"SELECT count(*) FROM (SELECT valid_to_seq, lead(valid_from_seq) OVER (PARTITION BY {thing} ORDER BY number) AS next "
                            f"FROM lake.halocline.{table}) WHERE next IS NOT NULL AND next <> valid_to_seq")
            self.assertEqual(gaps, [(0,)])
        self.assertEqual(self.by_duckdb("limits", ["name", "breach", "current"], "name = 'gross'"),
                         [("gross", Decimal(20000), False), ("gross", Decimal(30000), False)])
        then = self.prices[0][0]  # both limits are set, none is changed yet
        self.assertEqual(self.by_duckdb("limits", ["name", "node", "breach"], f"valid_from_seq <= {then} AND (current OR valid_to_seq > {then})"),
                         [("cash", "cash", Decimal(1000000)), ("gross", "*", Decimal(20000))])


class HistoryTablesTest(TablesCase):
    def test_the_tables_say_what_the_listings_say(self):
        self.story()
        self.stop()  # commits what is left
        self.start()
        self.check()
        closed = self.newest("positions", "node_kind, node, instrument", ("node", "instrument", "trades", "quantity"))
        self.assertIn(("T002", "AAPL", 0, 0), closed)
        self.stop(signal.SIGKILL)
        self.start()
        self.check()


class HistoryTablesInVersion3Test(HistoryTablesTest):
    version = 3


class NewTablesTest(TablesCase):
    def test_tables_of_a_history_that_began_without_them_are_brought_up(self):
        self.story()
        self.stop()
        self.start()
        catalog = self.catalog()
        for name in ("alerts", "positions", "reference"):
            catalog.drop_table(f"halocline.{name}")
        with self.table("prices").update_schema() as change:  # a column an older program did not have
            change.delete_column("outcome")
        for _ in range(2):  # one that makes and fills them, one that they are read from
            self.stop()
            self.start()
        self.check()


if __name__ == "__main__":
    unittest.main()
