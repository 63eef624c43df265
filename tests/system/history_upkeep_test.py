#!/usr/bin/env python3
"""The tables are looked after while they are written, and by others too: what readers find stays the same.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/history_upkeep_test.py [-v]
"""
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from history_server import TIMEOUT  # noqa: E402
from history_tables_test import TablesCase  # noqa: E402

TABLES = ("trade_events", "trades", "prices", "alerts", "positions", "nodes", "limits", "reference")
LONG_AGO = 100 * 3600  # seconds
MANIFEST_BYTES = 30_000


class HistoryUpkeepTest(TablesCase):
    def setUp(self):
        self.seldom = ["history.commit_seconds=3600", "history.upkeep_seconds=0"]  # a commit at each end, and nothing else
        super().setUp()

    def start(self, *settings):
        self.settings = settings or self.seldom
        super().start()

    def restart(self, *settings):
        self.stop()
        self.start(*settings)

    def last(self):
        """Up to which seq the tables are."""
        return int(self.table("trade_events").properties["halocline.last-seq"])

    def rows(self, last):
        """All rows of all tables, those apart that came later, and times that DuckDB has no values for in Python."""
        found = {}
        for table in TABLES:
            columns = [f'"{row[0]}"' for row in self.ask(f"DESCRIBE lake.halocline.{table}") if not row[1].startswith("TIMESTAMP")]
            where = f"WHERE seq <= {last}" if '"seq"' in columns else ""
            found[table] = self.ask(f"SELECT {', '.join(columns)} FROM lake.halocline.{table} {where} ORDER BY ALL")
        return found

    def files(self, table):
        """Of its current snapshot: data files and delete files. And its manifests, which list as many."""
        loaded = self.table(table)  # once: the server may commit to it all the time
        data, deletes = loaded.inspect.data_files().num_rows, loaded.inspect.delete_files().num_rows
        manifests = loaded.inspect.manifests().to_pylist()
        kinds = [f"{state}_{content}_files_count" for state in ("added", "existing") for content in ("data", "delete")]
        self.assertEqual(sum(one[kind] for one in manifests for kind in kinds), data + deletes, table)
        return data, deletes, manifests

    def wait_for(self, what, least=1):
        """Until the counter is that high."""
        end = time.monotonic() + TIMEOUT
        while self.status().get(what, 0) < least:
            self.assertLess(time.monotonic(), end, self.status())
            time.sleep(0.1)

    def test_files_become_few_and_the_rows_stay(self):
        self.restart()
        for table in TABLES:
            with self.table(table).transaction() as change:
                change.set_properties({"commit.manifest.target-size-bytes": str(MANIFEST_BYTES), "commit.manifest.min-count-to-merge": "3"})
        self.story(settle=lambda: self.restart())
        for number in range(8):
            self.trade(f"more{number}")
            self.trade("3", version=2 + number, action="AMEND", quantity=str(70 + number))
            self.price("AAPL", str(200 + number))
            self.restart()
        last = self.last()
        before, tagged = self.rows(last), self.table("trades")
        tagged.manage_snapshots().create_tag(tagged.current_snapshot().snapshot_id, "end of the story").commit()
        self.assertGreaterEqual(self.files("trades")[0], 8)
        lost = {path: name for path, name in self.lose_files()}

        self.restart("history.commit_seconds=1", "history.upkeep_seconds=1", "history.snapshot_minutes=1")
        self.wait_for("history_upkeeps")
        self.assertGreaterEqual(self.status()["history_rewrites"], 5)
        self.assertEqual(self.status()["history_orphans"], len(lost))
        self.assertFalse([path for path in lost if path.exists()])
        self.assertEqual(self.rows(last), before)
        for table in TABLES:
            data, deletes, manifests = self.files(table)
            self.assertLess(data, 8, table)
            self.assertLess(deletes, 8, table)
            self.assertLess(len(manifests), 12, table)
            for one in manifests:
                self.assertLessEqual(one["length"], MANIFEST_BYTES, table)
        self.trade("3", version=20, action="AMEND", quantity="1")
        self.trade("more1", version=2, action="CANCEL")
        self.settle()
        now = self.by_duckdb("trades", ["trade_id", "version", "status"])
        self.assertEqual(len(now), len(before["trades"]))
        self.assertIn(("3", 20, "LIVE"), now)
        self.assertIn(("more1", 2, "CANCELLED"), now)
        self.assertEqual(now, self.by_pyiceberg("trades", ["trade_id", "version", "status"]))
        # Time travel to the tag, whose files are there still.
        tag = self.table("trades").metadata.refs["end of the story"].snapshot_id
        self.assertEqual(len(self.by_pyiceberg("trades", ["trade_id", "version"], tag)), len(before["trades"]))
        self.stop()
        self.start()
        self.check()
        self.outsiders()

    def lose_files(self):
        """What crashes leave: files that nothing names; all files are of long ago."""
        for table in ("trades", "nodes"):
            folder = pathlib.Path(self.table(table).location().removeprefix("file://"))
            for name in ("data/half.parquet", "metadata/nobody.avro"):
                (folder / name).write_text("PAR1")
                yield folder / name, name
            for path in folder.rglob("*"):
                if path.is_file():
                    then = time.time() - LONG_AGO
                    os.utime(path, (then, then))

    def outsiders(self):
        """PyIceberg makes the files of `trades` anew (0.12 writes no manifests of version 3: there it does not, and Spark does in tests/spark)
        and expires snapshots of its own choice; we go on from there."""
        if self.version == 2:
            table = self.table("trades")
            table.overwrite(table.scan().to_arrow())
            self.assertEqual(self.files("trades")[0], 1)
        for snapshot in [one.snapshot_id for one in self.table("prices").snapshots()][:-1]:
            self.table("prices").maintenance.expire_snapshots().by_id(snapshot).commit()
        self.trade("3", version=21, action="AMEND", quantity="2")
        self.trade("after")
        self.price("AAPL", "250")
        self.restart("history.commit_seconds=1", "history.upkeep_seconds=1")
        self.trade("3", version=22, action="AMEND", quantity="3")
        self.settle()
        self.assertEqual(self.by_duckdb("trades", ["trade_id", "version"], "trade_id IN ('3', 'after')"), [("3", 22), ("after", 1)])
        self.assertEqual(self.status().get("history_failures", 0), 0)
        self.stop()
        self.start()
        self.check()


class HistoryUpkeepInVersion3Test(HistoryUpkeepTest):
    version = 3


if __name__ == "__main__":
    unittest.main()
