#!/usr/bin/env python3
"""Spark reads the tables of the history, writes a table of its own beside them, and makes our files anew and expires snapshots while we write.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/spark/spark_test.py [-v]
"""
import concurrent.futures
import itertools
import pathlib
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/spark"), str(ROOT / "tests/system")]
from session import session  # noqa: E402
from history_tables_test import TablesCase  # noqa: E402

TABLES = ("trade_events", "trades", "prices", "alerts", "positions", "nodes", "limits", "reference")


class SparkTest(TablesCase):
    settings = ("history.commit_seconds=1", "history.upkeep_seconds=0")

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.spark = None

    @classmethod
    def tearDownClass(cls):
        if cls.spark is not None:
            cls.spark.stop()
        cls.scratch.cleanup()

    def start(self):
        super().start()
        if self.spark is None:
            type(self).spark = session(self.uri, self.scratch.name)
        # The catalog of this server, under a name of its own: Spark keeps those it has.
        type(self).catalogs = getattr(type(self), "catalogs", 0) + 1
        self.lake = f"lake{self.catalogs}"
        for key, value in (("", "org.apache.iceberg.spark.SparkCatalog"), (".type", "rest"), (".uri", self.uri), (".cache-enabled", "false")):
            self.spark.conf.set(f"spark.sql.catalog.{self.lake}{key}", value)

    def sql(self, text):
        return [tuple(row) for row in self.spark.sql(text.replace("lake.", f"{self.lake}.")).collect()]

    def same_as_duckdb(self, table, snapshot=None):
        """Every row of the table, or of a snapshot of it. DuckDB has no values for times in Python: those are compared as microseconds."""
        columns = self.ask(f"DESCRIBE lake.halocline.{table}")
        ours = ", ".join(f'epoch_us("{name}")' if kind.startswith("TIMESTAMP") else f'"{name}"' for name, kind, *_ in columns)
        theirs = ", ".join(f"unix_micros(`{name}`)" if kind.startswith("TIMESTAMP") else f"`{name}`" for name, kind, *_ in columns)
        at = (f" AT (VERSION => {snapshot})", f" VERSION AS OF {snapshot}") if snapshot else ("", "")
        duckdb = self.ask(f"SELECT {ours} FROM lake.halocline.{table}{at[0]}")
        spark = self.sql(f"SELECT {theirs} FROM lake.halocline.{table}{at[1]}")
        self.assertEqual(sorted(spark, key=repr), sorted(duckdb, key=repr), table)
        return len(spark)

    def test_every_table_is_read_now_and_as_it_was(self):
        self.story()
        self.stop()
        self.start()
        for table in TABLES:
            self.assertGreater(self.same_as_duckdb(table), 0, table)
            for snapshot in self.table(table).snapshots():
                self.same_as_duckdb(table, snapshot.snapshot_id)
        self.assertEqual(self.sql("SELECT command, count(*) FROM lake.halocline.trade_events GROUP BY command"),
                         self.ask("SELECT command, count(*) FROM lake.halocline.trade_events GROUP BY command"))

    def test_a_table_of_its_own(self):
        self.trade("1")
        self.settle()
        self.sql("CREATE NAMESPACE lake.research")
        self.sql("CREATE TABLE lake.research.marks (instrument STRING, day DATE, mark DECIMAL(20, 8)) USING iceberg PARTITIONED BY (months(day))")
        self.sql("INSERT INTO lake.research.marks VALUES ('AAPL', DATE '2026-11-25', 187.5), ('SAP', DATE '2026-10-25', 120.25)")
        self.sql("MERGE INTO lake.research.marks m USING (SELECT 'SAP' AS instrument, 121.0 AS mark) n ON m.instrument = n.instrument "
                 "WHEN MATCHED THEN UPDATE SET m.mark = n.mark")
        self.sql("ALTER TABLE lake.research.marks ADD COLUMN source STRING")
        self.sql("INSERT INTO lake.research.marks SELECT instrument, DATE '2026-11-26', price, source FROM lake.halocline.trades")
        self.sql("DELETE FROM lake.research.marks WHERE day = DATE '2026-11-25'")
        wanted = [("AAPL", "2026-11-26", 190, "oms"), ("SAP", "2026-10-25", 121, None)]
        text = "SELECT instrument, CAST(day AS STRING) AS day, CAST(mark AS INT), source FROM lake.research.marks ORDER BY day DESC"
        self.assertEqual(self.sql(text), wanted)
        self.assertEqual(self.ask(text.replace("STRING", "VARCHAR")), wanted)
        self.sql("DROP TABLE lake.research.marks PURGE")

    def call(self, procedure):
        """Its answer; None when a commit of ours came first and Spark gave up: nothing has happened then."""
        try:
            return self.sql(f"CALL {self.lake}.system.{procedure}")
        except Exception as error:
            self.assertRegex(str(error), "CommitFailed|Found new position delete|Cannot commit rewrite")
            return None

    def write_beside(self, stop):
        for number in itertools.count(20):
            self.trade("3", version=number, action="AMEND", quantity=str(200 + number % 50))
            self.trade(f"beside{number}")
            if stop.is_set():
                return

    def test_its_upkeep_of_our_tables_while_we_write(self):
        """Spark's procedures while we commit every second; in the end every row is there once."""
        self.story()
        for number in range(4):
            self.trade(f"before{number}")
            self.trade("3", version=2 + number, action="AMEND", quantity=str(70 + number))
            self.settle()
        options = "options => map('min-input-files', '2', 'delete-file-threshold', '1')"
        stop = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            writing = pool.submit(self.write_beside, stop)
            for _ in range(2):
                for table in ("trade_events", "nodes", "positions", "trades", "limits"):
                    done = self.call(f"rewrite_data_files(table => 'halocline.{table}', {options})")
                    # Nobody but we deletes rows there, and that only in `trades`.
                    self.assertTrue(table == "trades" or done is not None, table)
                self.call("rewrite_position_delete_files(table => 'halocline.trades', options => map('rewrite-all', 'true'))")
                self.call("expire_snapshots(table => 'halocline.trade_events', older_than => TIMESTAMP '2100-01-01', retain_last => 2)")
                self.call("rewrite_manifests('halocline.prices')")
            stop.set()
            writing.result()
        self.settle()
        self.assertGreater(self.call(f"rewrite_data_files(table => 'halocline.trades', {options})")[0][0], 0)
        self.trade("after")
        self.trade("3", version=10_000, action="AMEND", quantity="1")
        self.settle()
        self.assertEqual(self.status().get("history_failures", 0), 0)
        self.stop()
        self.start()
        self.check()
        for table in TABLES:
            # As of one snapshot: a price that goes stale between the two reads is a commit of ours.
            self.same_as_duckdb(table, self.table(table).current_snapshot().snapshot_id)


class SparkInVersion3Test(SparkTest):
    version = 3

    def test_rows_have_lineage(self):
        """Each live row has an id of its own; when files are made anew it keeps that, and by which commit it was last changed."""
        text = "SELECT trade_id, version, _row_id, _last_updated_sequence_number FROM lake.halocline.trades ORDER BY trade_id"
        for number in range(6):
            self.trade(f"first{number}")
        self.settle()
        self.trade("first3", version=2, action="AMEND", quantity="7")
        self.trade("second")
        self.settle()
        self.sql("DELETE FROM lake.halocline.trades WHERE trade_id = 'first0'")  # not ours: a vector of Spark's
        self.trade("first4", version=2, action="AMEND", quantity="8")           # one of ours, with what Spark's had
        self.settle()
        before = self.sql(text)
        self.assertEqual([row[0] for row in before], ["first1", "first2", "first3", "first4", "first5", "second"])
        metadata = self.table("trades").metadata
        self.assertEqual(len({row[2] for row in before}), len(before))
        self.assertLess(max(row[2] for row in before), metadata.next_row_id)
        changed = {trade_id: sequence for trade_id, _, _, sequence in before}
        self.assertLess(changed["first1"], changed["first3"])
        self.assertLess(changed["first3"], changed["first4"])
        self.sql(f"CALL {self.lake}.system.rewrite_data_files(table => 'halocline.trades', options => map('rewrite-all', 'true'))")
        self.assertEqual(self.sql(text), before)
        self.trade("first1", version=2, action="AMEND", quantity="9")
        self.settle()
        self.assertEqual([row for row in self.sql(text) if row[0] != "first1"], before[1:])
        self.assertEqual(self.status().get("history_failures", 0), 0)


if __name__ == "__main__":
    unittest.main()
