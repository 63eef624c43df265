#!/usr/bin/env python3
"""The tables of the history, rewritten, put back and damaged by hand, and what `halocline audit verify` says of it.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/audit/tables_test.py [-v]
"""
import contextlib
import json
import pathlib
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
import time
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


class RemovedBeginningTest(unittest.TestCase):
    """A record whose first segments have gone from the archive, as archive.keep_days has them go."""

    # Trades of each sitting; a segment has one to two thousand. A state is kept a thousand commands after the one before, at the end of a sitting
    # or within it, and each sitting ends with a signed head.
    SITTINGS = (40, 4_000, 950, 600, 4_000)
    FEWEST_ARCHIVED = 3  # segments

    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temp.name)
        cls.data, cls.archive = cls.folder / "data", cls.folder / "archive"
        cls.settings = [*SETTINGS[:-1], "journal.segment_bytes=327680", "checkpoint.records=1000", "checkpoint.keep=1", f"archive.folder={cls.archive}",
                        "archive.local_bytes=0", "archive.keep_days=1"]
        (cls.folder / "floor.toml").write_text(FLOOR)
        for sitting, trades in enumerate(cls.SITTINGS):
            cls.sit(sitting, trades, archived=cls.FEWEST_ARCHIVED if sitting == len(cls.SITTINGS) - 1 else 0)
        cls.removed = cls.remove_beginning()

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    @classmethod
    def sit(cls, sitting, trades, archived):
        server = Server(cls.data, settings=cls.settings)
        run_cli(server.address, "ref", "load", cls.folder / "floor.toml", expect=DONE)
        run_cli(server.address, "limit", "set", "gross", "--on", "trader:*", "--measure", "gross", "--breach", 3000 * (sitting + 1), expect=DONE)
        lines = [json.dumps({"source": "a system with a long name", "trade_id": f"sitting {sitting}, number {number}, with words that fill the journal",
                             "book": "b1", "trader": "anna", "counterparty": "cp", "instrument": "AAPL", "side": "BUY", "quantity": str(number + 1),
                             "price": "190"}) for number in range(trades)]
        run_cli(server.address, "trade", "--jsonl", "-", stdin="\n".join(lines) + "\n", expect=DONE)
        run_cli(server.address, "price", "AAPL", 200 + sitting, expect=DONE)
        until = time.monotonic() + 60
        while True:
            status = json.loads(run_cli(server.address, "status", "--json", expect=DONE).stdout)
            counters = {row["name"]: int(row["value"]) for row in status["counters"]}
            if counters.get("history_seq") == int(status["last_seq"]) and len(list(cls.archive.glob("*.arc"))) >= archived:
                break
            assert time.monotonic() < until, counters
            time.sleep(0.1)
        assert server.stop() == 0

    @classmethod
    def remove_beginning(cls):
        """All archived segments before the last commit that no state has: the archiver may remove these and, by their age, keeps more. How many."""
        state = min(int(re.search(r"\d+", path.name).group()) for path in (cls.data / "history").glob("follower-*.txt"))
        needed = max(seq for seq in cls.committed_seqs() if seq < state)
        segments = sorted(cls.archive.glob("*.arc"))
        first = {path: struct.unpack_from("<Q", path.read_bytes(), path.stat().st_size - 128 + 56)[0] for path in segments}
        gone = [path for path, after in zip(segments, segments[1:]) if first[after] <= needed]
        for path in gone:
            path.unlink()
        return len(gone)

    @classmethod
    def ledger(cls):
        """Where the metadata of `trade_events` lie."""
        with contextlib.closing(sqlite3.connect(cls.data / "catalog.db")) as database:
            location, = database.execute("SELECT metadata_location FROM tables WHERE name = 'trade_events'").fetchone()
        return pathlib.Path(location.removeprefix("file://"))

    @classmethod
    def committed_seqs(cls):
        return [int(snapshot["summary"]["halocline.last-seq"]) for snapshot in json.loads(cls.ledger().read_text())["snapshots"]]

    def verify(self, *args, expect):
        done = run_cli("", "audit", "verify", self.data, "--scratch", self.temp.name, *args, "--json", expect=expect)
        return json.loads(done.stdout)

    def test_what_is_left_is_proved(self):
        self.assertGreater(self.removed, 1)
        report = self.verify("--removed-before", "now", expect=DONE)
        self.assertEqual(report["problems"], [])
        self.assertGreater(report["first_seq"], 1)
        self.assertGreater(report["tables_from"], report["first_seq"])
        self.assertEqual(report["tables_seq"], report["last_seq"])
        self.assertEqual(report["signed_seq"], report["last_seq"])
        self.assertGreater(report["heads"], 1)
        self.assertGreater(report["heads_unchecked"], 0)
        rows = {table["name"]: table["rows"] for table in report["tables"]}
        self.assertEqual(set(rows), TABLES)
        self.assertEqual(rows["trades"], sum(self.SITTINGS))
        self.assertTrue(0 < rows["trade_events"] <= report["last_seq"] - report["tables_from"] + 1, rows)
        text = run_cli("", "audit", "verify", self.data, "--scratch", self.temp.name, "--removed-before", "now", expect=DONE).stdout
        self.assertIn("which the journal still has", text)

    def test_nothing_may_have_gone_before_its_time(self):
        for args in ((), ("--removed-before", "2026-01-01"), ("--set", "archive.keep_days=1")):
            report = self.verify(*args, expect=DAMAGED)
            self.assertTrue(any("missing" in problem["text"] for problem in report["problems"]), report["problems"])

    def test_a_row_is_rewritten(self):
        server = Server(self.data, settings=self.settings)
        uri = re.search(r"^catalog (.*)$", (self.data / "serving").read_text(), re.MULTILINE).group(1)
        table = RestCatalog("halocline", uri=uri).load_table("halocline.trade_events")
        before = table.current_snapshot().snapshot_id
        rows = table.scan().to_arrow()
        at, last = rows.schema.get_field_index("trader"), max(rows["seq"].to_pylist())
        traders = [trader if seq != last else "somebody" for seq, trader in zip(rows["seq"].to_pylist(), rows["trader"].to_pylist())]
        table.overwrite(rows.set_column(at, rows.schema.field(at), pyarrow.array(traders, rows.schema.field(at).type)))
        self.assertEqual(server.stop(), 0)
        report = self.verify("--removed-before", "now", expect=DAMAGED)
        self.assertEqual([(p["file"], p["place"]) for p in report["problems"]], [("halocline.trade_events", f"seq {last}")])
        self.assertIn("trader is somebody", report["problems"][0]["text"])
        server = Server(self.data, settings=self.settings)
        uri = re.search(r"^catalog (.*)$", (self.data / "serving").read_text(), re.MULTILINE).group(1)
        RestCatalog("halocline", uri=uri).load_table("halocline.trade_events").manage_snapshots().rollback_to_snapshot(before).commit()
        self.assertEqual(server.stop(), 0)
        self.verify("--removed-before", "now", expect=DONE)

    def test_a_byte_in_the_archive_is_flipped(self):
        first = sorted(self.archive.glob("*.arc"))[0]
        kept = first.read_bytes()
        first.write_bytes(kept[:6000] + bytes([kept[6000] ^ 1]) + kept[6001:])
        done = run_cli("", "audit", "verify", self.data, "--scratch", self.temp.name, "--removed-before", "now")
        first.write_bytes(kept)
        self.assertEqual(done.returncode, DAMAGED, done)
        self.assertIn(str(first), done.stderr)

    def test_a_chain_is_altered_where_no_root_is_known(self):
        """The hash chain alone tells there: it is in every head."""
        report = self.verify("--removed-before", "now", expect=DONE)
        path = self.ledger()
        kept = path.read_text()
        metadata = json.loads(kept)
        among = [snapshot for snapshot in metadata["snapshots"]
                 if report["first_seq"] <= int(snapshot["summary"]["halocline.last-seq"]) < report["tables_from"] - 1]
        among[0]["summary"]["halocline.journal-chain"] = "ab" * 32
        path.write_text(json.dumps(metadata))
        problems = self.verify("--removed-before", "now", expect=DAMAGED)["problems"]
        self.assertEqual([(p["file"], p["place"]) for p in problems], [("halocline.trade_events", f"snapshot {among[0]['snapshot-id']}")])
        self.assertIn("forged", problems[0]["text"])
        path.write_text(kept)

    def test_without_a_state_the_journal_alone_is_proved(self):
        states = self.data / "history"
        states.rename(self.folder / "away")
        report = self.verify("--removed-before", "now", expect=DONE)
        self.assertEqual(report["tables"], [])
        self.assertIn("no state", report["tables_note"])
        self.assertGreater(report["heads"], 1)
        (self.folder / "away").rename(states)


if __name__ == "__main__":
    unittest.main()
