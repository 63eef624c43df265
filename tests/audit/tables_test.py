#!/usr/bin/env python3
"""The tables of the history, rewritten, put back and damaged by hand, and what `halocline audit verify` says of it.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/audit/tables_test.py [-v]
"""
import json
import pathlib
import re
import shutil
import sqlite3
import sys
import tempfile
import unittest

import pyarrow
import pyarrow.compute
import pyarrow.parquet
from pyiceberg.catalog.rest import RestCatalog

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(ROOT / "tests/system")]
from cli_test import DAMAGED, DONE, FLOOR, Server, run_cli  # noqa: E402

SETTINGS = ["audit.head_seconds=1", "history.enabled=true", "history.commit_seconds=1", "catalog.listen=127.0.0.1:0", "journal.segment_bytes=1048576"]
TABLES = {"trade_events", "trades", "prices", "alerts", "positions", "nodes", "limits", "reference"}


class TablesCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.data = pathlib.Path(cls.temp.name) / "data"  # tables know where they lie, so each attack is made there and taken back
        cls.kept = pathlib.Path(cls.temp.name) / "kept"
        floor = pathlib.Path(cls.temp.name) / "floor.toml"
        floor.write_text(FLOOR)
        for sitting in range(3):
            cls.server = Server(cls.data, settings=SETTINGS)
            run_cli(cls.server.address, "ref", "load", floor)
            run_cli(cls.server.address, "limit", "set", "gross", "--on", "trader:*", "--measure", "gross", "--breach", 3000 * (sitting + 1))
            for number in range(6):
                run_cli(cls.server.address, "trade", "--source", "oms", "--id", f"t{number}", "--version", sitting + 1, "--action",
                        "amend" if sitting else "new", "--book", "b1", "--trader", "anna", "--counterparty", "cp", "--instrument", "AAPL", "--side",
                        "buy", "--quantity", number + 1 + sitting, "--price", "190")
            run_cli(cls.server.address, "price", "AAPL", 200 + sitting, expect=DONE)
            assert cls.server.stop() == 0
        shutil.copytree(cls.data, cls.kept)

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def tearDown(self):
        shutil.rmtree(self.data)
        shutil.copytree(self.kept, self.data)

    def verify(self, *args, expect=DAMAGED):
        done = run_cli("", "audit", "verify", self.data, "--scratch", self.temp.name, *args, "--json", expect=expect)
        return json.loads(done.stdout)

    def assert_problem(self, file, place, text):
        report = self.verify()
        found = [p for p in report["problems"] if re.search(file, p["file"]) and re.search(place, p["place"]) and re.search(text, p["text"])]
        self.assertTrue(found, report["problems"])
        return report

    def files(self, table, pattern):
        return sorted(self.data.glob(f"warehouse/halocline/{table}-*/{pattern}"))

    def rewrite(self, what):
        """What somebody who may write to the catalog does through it, then the server ends."""
        server = Server(self.data, settings=SETTINGS)
        uri = re.search(r"^catalog (.*)$", (self.data / "serving").read_text(), re.MULTILINE).group(1)
        what(RestCatalog("halocline", uri=uri))
        self.assertEqual(server.stop(), 0)


class TablesTest(TablesCase):
    def test_nothing_was_done(self):
        report = self.verify(expect=DONE)
        self.assertEqual(report["problems"], [])
        self.assertEqual({table["name"] for table in report["tables"]}, TABLES)
        rows = {table["name"]: table["rows"] for table in report["tables"]}
        self.assertEqual((rows["trade_events"], rows["trades"]), (18, 6))
        self.assertEqual(report["tables_seq"], report["last_seq"])
        self.assertEqual(self.verify("--no-tables", expect=DONE)["tables"], [])

    def test_beside_a_running_server_and_nothing_is_touched(self):
        server = Server(self.data, settings=SETTINGS)
        report = self.verify(expect=DONE)
        self.assertEqual({table["name"] for table in report["tables"]}, TABLES)
        self.assertEqual(server.stop(), 0)
        before = {path: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        self.verify(expect=DONE)
        self.assertEqual({path: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}, before)

    def test_a_row_is_rewritten(self):
        def rewrite(catalog):
            table = catalog.load_table("halocline.trade_events")
            rows = table.scan().to_arrow()
            traders = [trader if seq != rows["seq"][7].as_py() else "somebody" for seq, trader in zip(rows["seq"].to_pylist(), rows["trader"].to_pylist())]
            at = rows.schema.get_field_index("trader")
            table.overwrite(rows.set_column(at, rows.schema.field(at), pyarrow.array(traders, rows.schema.field(at).type)))
        self.rewrite(rewrite)
        report = self.assert_problem("halocline.trade_events", r"^seq \d+$", "trader is somebody, and follows from the journal as anna")
        self.assertEqual({t["name"]: t["differences"] for t in report["tables"]}["trade_events"], 1)

    def test_a_row_is_left_out(self):
        self.rewrite(lambda catalog: catalog.load_table("halocline.trade_events").delete("trade_id = 't3' and version = 2"))
        self.assert_problem("halocline.trade_events", r"^seq \d+$", "missing")

    def test_a_row_is_put_in(self):
        def add(catalog):
            table = catalog.load_table("halocline.prices")
            rows = table.scan().to_arrow().slice(0, 1)
            at = rows.schema.get_field_index("seq")
            table.append(rows.set_column(at, rows.schema.field(at), pyarrow.array([1_000_000], pyarrow.int64())))
        self.rewrite(add)
        self.assert_problem("halocline.prices", "^seq 1000000$", "no such row")

    def test_a_row_is_there_twice(self):
        def add(catalog):
            table = catalog.load_table("halocline.prices")
            table.append(table.scan().to_arrow().slice(0, 1))
        self.rewrite(add)
        self.assert_problem("halocline.prices", r"^seq \d+$", "twice")

    def test_a_position_is_rewritten(self):
        def rewrite(catalog):
            table = catalog.load_table("halocline.positions")
            rows = table.scan().to_arrow()
            at = rows.schema.get_field_index("trades")
            table.overwrite(rows.set_column(at, rows.schema.field(at), pyarrow.compute.add(rows["trades"], 1)))
        self.rewrite(rewrite)
        self.assert_problem("halocline.positions", r"seq \d+, node_kind \w+, node \w+, instrument AAPL", "trades is 7, and follows from the journal as 6")

    def test_a_table_is_put_back(self):
        with sqlite3.connect(self.data / "catalog.db") as database:
            for table in TABLES:
                older = self.files(table, "metadata/*.metadata.json")[1]
                database.execute("UPDATE tables SET metadata_location = ? WHERE name = ?", (f"file://{older}", table))
        database.close()
        self.assert_problem("halocline.trade_events", r"^seq \d+$", "put back to an earlier state")

    def test_one_table_is_put_back(self):
        with sqlite3.connect(self.data / "catalog.db") as database:
            older = self.files("trades", "metadata/*.metadata.json")[1]
            database.execute("UPDATE tables SET metadata_location = ? WHERE name = 'trades'", (f"file://{older}",))
        database.close()
        self.assert_problem("halocline.trades", r"^number \d+$", "follows from the journal")

    def test_a_table_is_gone(self):
        with sqlite3.connect(self.data / "catalog.db") as database:
            database.execute("DELETE FROM tables WHERE name = 'alerts'")
        database.close()
        self.assert_problem("halocline.alerts", "", "does not exist|not exist|no such|No such")

    def current_metadata(self, table):
        with sqlite3.connect(self.data / "catalog.db") as database:
            location, = database.execute("SELECT metadata_location FROM tables WHERE name = ?", (table,)).fetchone()
        database.close()
        return pathlib.Path(location.removeprefix("file://"))

    def edit_metadata(self, table, change):
        path = self.current_metadata(table)
        metadata = json.loads(path.read_text())
        change(metadata)
        path.write_text(json.dumps(metadata))

    def test_a_root_in_the_metadata_is_altered(self):
        self.edit_metadata("nodes", lambda m: m["snapshots"][-1]["summary"].update({"halocline.merkle-root": "ab" * 32}))
        self.assert_problem("halocline.nodes", r"^snapshot \d+$", "forged")

    def test_a_head_in_the_metadata_is_altered(self):
        def forge(metadata):
            words = metadata["properties"]["halocline.signed-head"].split(" ")
            metadata["properties"]["halocline.signed-head"] = " ".join([*words[:3], "1", *words[4:]])
        self.edit_metadata("trade_events", forge)
        self.assert_problem("halocline.trade_events", "^property", "forged: the signature")

    def test_a_state_digest_is_altered(self):
        self.edit_metadata("nodes", lambda m: m["snapshots"][-1]["summary"].update({"halocline.state-digest": "ab" * 32}))
        self.assert_problem("halocline.nodes", r"^snapshot \d+$", "state digest")

    def test_metadata_that_is_no_json(self):
        path = self.current_metadata("trades")
        path.write_bytes(path.read_bytes()[:-40])
        self.assertFalse(self.verify()["ok"])

    def flip(self, path, at):
        data = bytearray(path.read_bytes())
        data[at] ^= 0x10
        path.write_bytes(data)

    def test_a_data_file_is_damaged(self):
        """In each of its pages: they have checksums."""
        path = self.files("trade_events", "data/**/*.parquet")[-1]
        good = path.read_bytes()
        pages = []
        for group in [pyarrow.parquet.ParquetFile(path).metadata.row_group(0)]:
            for column in range(0, group.num_columns, 5):
                chunk = group.column(column)
                begin = chunk.dictionary_page_offset or chunk.data_page_offset
                pages.append(begin + chunk.total_compressed_size - 3)  # of the last page, behind its header
        for at in pages:
            self.flip(path, at)
            self.assert_problem("halocline.trade_events", path.name, "Parquet")
            path.write_bytes(good)

    def test_a_data_file_is_gone_and_one_is_longer(self):
        path = self.files("trade_events", "data/**/*.parquet")[-1]
        bytes_before = path.read_bytes()
        path.unlink()
        self.assert_problem("halocline.trade_events", path.name, "")
        path.write_bytes(bytes_before + b"x")
        self.assert_problem("halocline.trade_events", path.name, "bytes")

    def test_a_manifest_is_damaged(self):
        for path in self.files("trade_events", "metadata/*.avro"):
            self.flip(path, path.stat().st_size - 24)
        self.assertFalse(self.verify()["ok"])


if __name__ == "__main__":
    unittest.main()
