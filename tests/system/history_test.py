#!/usr/bin/env python3
"""The history, read through the server's own REST catalog by engines that are not ours: PyIceberg and DuckDB, row for row what was
sent and answered.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/history_test.py [-v]
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from decimal import Decimal

import duckdb
import duckdb_ext
from pyiceberg.catalog.rest import RestCatalog

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from cli_test import DONE, Server, binary  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 60


def duckdb_rows(uri, query):
    """What DuckDB answers with the catalog attached as `lake`."""
    connection = duckdb.connect()
    extensions = pathlib.Path(next(iter(duckdb_ext.__path__))) / "extensions" / f"v{duckdb.__version__}" / "linux_amd64"
    for extension in ("avro", "httpfs", "iceberg"):
        connection.execute(f"LOAD '{extensions / extension}.duckdb_extension'")
    connection.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none')")
    return connection.sql(query).fetchall()


class HistoryTest(unittest.TestCase):
    version = 2

    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.data = pathlib.Path(self.temp.name) / "data"
        self.server = None
        self.sent = []  # rows of trade_events, as the server answered them
        self.start()
        self.cli("ref", "load", ROOT / "examples/floor.toml")

    def tearDown(self):
        if self.server is not None:
            self.server.stop()
        self.temp.cleanup()

    def start(self):
        self.server = Server(self.data, settings=["history.enabled=true", "history.commit_seconds=1", "catalog.listen=127.0.0.1:0",
                                                  f"history.format_version={self.version}"])
        serving = (self.data / "serving").read_text()
        self.uri = re.search(r"^catalog (.*)$", serving, re.MULTILINE).group(1)

    def stop(self, how=signal.SIGTERM):
        self.server.stop(how)
        self.server = None

    def cli(self, *args):
        environment = dict(os.environ, HALOCLINE_SERVER=self.server.address)
        done = subprocess.run([binary(), *map(str, args)], env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        return done

    def trade(self, trade_id, version=1, action="NEW", quantity="100", price="10.5", book="eq-us"):
        done = self.cli("trade", "--source", "oms", "--id", trade_id, "--version", version, "--action", action, "--book", book, "--trader", "T001",
                        "--counterparty", "street", "--instrument", "AAPL", "--side", "buy", "--quantity", quantity, "--price", price, "--json")
        answer = json.loads(done.stdout)
        self.sent.append((int(answer["seq"]), trade_id, version, action, answer["outcome"], book, Decimal(quantity), Decimal(price)))

    def status(self):
        counters = json.loads(self.cli("status", "--json").stdout)["counters"]
        return {row["name"]: int(row["value"]) for row in counters}

    def wait_for_rows(self, rows):
        end = time.monotonic() + TIMEOUT
        while self.status().get("history_rows", 0) < rows:
            self.assertLess(time.monotonic(), end, self.status())
            time.sleep(0.1)

    EVENTS = ["seq", "trade_id", "version", "action", "outcome", "book", "quantity", "price"]
    TRADES = ["trade_id", "version", "status", "quantity", "price", "version_seq"]

    def table(self, name):
        return RestCatalog("halocline", uri=self.uri).load_table(f"halocline.{name}")

    def by_pyiceberg(self, table, columns, snapshot=None):
        rows = self.table(table).scan(selected_fields=tuple(columns), snapshot_id=snapshot).to_arrow().to_pylist()
        return sorted(tuple(row[name] for name in columns) for row in rows)

    def by_duckdb(self, table, columns, where="true"):
        return sorted(duckdb_rows(self.uri, f"SELECT {', '.join(columns)} FROM lake.halocline.{table} WHERE {where}"))

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
        self.wait_for_rows(5)
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
                self.wait_for_rows(1)
            self.stop(signal.SIGKILL)
            self.start()
        self.trade("last")
        self.wait_for_rows(1)
        self.check()


class HistoryInVersion3Test(HistoryTest):
    version = 3


if __name__ == "__main__":
    unittest.main()
