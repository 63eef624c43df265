#!/usr/bin/env python3
"""The ledger and the trades of the history are, row for row, what was sent and answered, whatever happens to the server.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/history_test.py [-v]
"""
import json
import pathlib
import signal
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from history_server import HistoryCase  # noqa: E402


class HistoryTest(HistoryCase):
    def setUp(self):
        super().setUp()
        self.sent = []  # rows of trade_events, as the server answered them

    EVENTS = ["seq", "trade_id", "version", "action", "outcome", "book", "quantity", "price"]
    TRADES = ["trade_id", "version", "status", "quantity", "price", "version_seq"]

    def trade(self, trade_id, version=1, action="NEW", quantity="100", price="10.5", book="eq-us"):
        done = self.cli("trade", "--source", "oms", "--id", trade_id, "--version", version, "--action", action, "--book", book, "--trader", "T001",
                        "--counterparty", "street", "--instrument", "AAPL", "--side", "buy", "--quantity", quantity, "--price", price, "--json")
        answer = json.loads(done.stdout)
        self.sent.append((int(answer["seq"]), trade_id, version, action, answer["outcome"], book, Decimal(quantity), Decimal(price)))

    def trades(self):
        """The current versions, from what was sent and answered."""
        rows = {}
        for seq, trade_id, version, action, outcome, _, quantity, price in self.sent:
            if outcome == "TOMBSTONE":
                rows[trade_id] = (trade_id, version, "TOMBSTONE", None, None, seq)
            elif outcome == "ACCEPTED" and action == "CANCEL":
                rows[trade_id] = (trade_id, version, "CANCELLED", *rows[trade_id][3:5], seq)
            elif outcome == "ACCEPTED":
                rows[trade_id] = (trade_id, version, "LIVE", quantity, price, seq)
        return sorted(rows.values())

    def check(self):
        """All that was committed, and the end of a server commits what is left, is read as it was sent."""
        self.stop()
        self.start()
        for read in (self.by_pyiceberg, self.by_duckdb):
            self.assertEqual(read("trade_events", self.EVENTS), self.sent)
            self.assertEqual(read("trades", self.TRADES), self.trades())

    def test_every_trade_is_there_once_with_its_outcome(self):
        for number in range(5):
            self.trade(f"t{number}", price=f"1{number}.25")
        self.wait_for_commit(self.sent[-1][0])
        self.trade("t1", version=2, action="AMEND", quantity="50.00000001")
        self.trade("t2", version=2, action="CANCEL")
        self.trade("t3", price="13.25")                # a duplicate
        self.trade("t4", quantity="7")                 # a conflict
        self.trade("t5", book="nowhere")               # refused
        self.trade("t6", version=3, action="CANCEL")   # a tombstone
        self.assertEqual([row[4] for row in self.sent[5:]],
                         ["ACCEPTED", "ACCEPTED", "DUPLICATE", "CONFLICT", "UNKNOWN_BOOK", "TOMBSTONE"])
        self.check()
        # Time travel: each snapshot says up to which seq it goes, and has exactly that.
        table = self.table("trade_events")
        self.assertGreaterEqual(len(table.snapshots()), 2)
        for snapshot in table.snapshots():
            last = int(snapshot.summary["halocline.last-seq"])
            self.assertEqual(self.by_pyiceberg("trade_events", self.EVENTS, snapshot.snapshot_id), [row for row in self.sent if row[0] <= last])
        # The books of that seq, from the journal alone.
        last = table.current_snapshot().summary
        digest = self.cli("journal", "digest", self.data, "--at", last["halocline.last-seq"], "--json")
        self.assertEqual(json.loads(digest.stdout)["state_digest"], last["halocline.state-digest"])
        # Bounds do not hide rows: a filter that the manifests can answer.
        self.assertEqual(self.by_duckdb("trade_events", self.EVENTS, "quantity < 51 AND trade_id = 't1'"), [row for row in self.sent if row[6] == Decimal("50.00000001")])
        self.assertEqual(len(table.scan(row_filter="price >= 14").to_arrow()), len([row for row in self.sent if row[7] >= 14]))

    def test_kills_leave_nothing_out_and_nothing_twice(self):
        for run in range(4):
            for number in range(6):
                self.trade(f"r{run}-{number}")
            if run % 2 == 0:
                self.wait_for_commit(self.sent[-1][0])
            self.stop(signal.SIGKILL)
            self.start()
        self.trade("last")
        self.wait_for_commit(self.sent[-1][0])
        self.check()


class HistoryInVersion3Test(HistoryTest):
    version = 3


if __name__ == "__main__":
    unittest.main()
