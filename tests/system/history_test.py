#!/usr/bin/env python3
"""The ledger and the trades of the history are, row for row, what was sent and answered, whatever happens to the server.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/history_test.py [-v]
"""
import io
import json
import pathlib
import signal
import sys
import unittest
import zlib
from decimal import Decimal

import pyroaring
from pyarrow import parquet

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

    def live_files(self, table):
        """Of the current snapshot, as its Avro files have them: the content (0: data) and the entry, with its inherited row id."""
        manifests = self.ask(f"SELECT manifest_path, content, first_row_id FROM read_avro('{table.current_snapshot().manifest_list}')")
        for path, content, next_row_id in manifests:
            self.assertEqual(next_row_id is None, content == 1)
            for status, file in self.ask(f"SELECT status, data_file FROM read_avro('{path}')"):
                if status == 2:
                    continue
                if content == 0 and file["first_row_id"] is None:
                    file["first_row_id"] = next_row_id
                    next_row_id += file["record_count"]
                yield content, file

    def file(self, path):
        return self.table("trades").io.new_input(path).open().read()

    def vector(self, file):
        """The positions of a deletion vector: its Puffin file read by the specs, with another's Roaring bitmaps."""
        self.assertEqual((file["content"], file["file_format"]), (1, "PUFFIN"))
        whole = self.file(file["file_path"])
        self.assertEqual(len(whole), file["file_size_in_bytes"])
        self.assertEqual((whole[:4], whole[-4:], whole[-8:-4]), (b"PFA1", b"PFA1", bytes(4)))
        size = int.from_bytes(whole[-12:-8], "little")
        self.assertEqual(whole[-16 - size:-12 - size], b"PFA1")
        offset, length = file["content_offset"], file["content_size_in_bytes"]
        blobs = {blob["offset"]: blob for blob in json.loads(whole[-12 - size:-12])["blobs"]}
        self.assertEqual({key: blobs[offset][key] for key in ("type", "length", "snapshot-id", "sequence-number", "properties")},
                         {"type": "deletion-vector-v1", "length": length, "snapshot-id": -1, "sequence-number": -1,
                          "properties": {"referenced-data-file": file["referenced_data_file"], "cardinality": str(file["record_count"])}})
        blob = whole[offset:offset + length]
        self.assertEqual((int.from_bytes(blob[:4], "big"), blob[4:8]), (length - 8, bytes.fromhex("d1d33964")))
        self.assertEqual(int.from_bytes(blob[-4:], "big"), zlib.crc32(blob[4:-4]))
        positions = set(pyroaring.BitMap64.deserialize(blob[8:-4]))
        self.assertEqual(len(positions), file["record_count"])
        return positions

    def check(self):
        """Also without a reader of tables: the rows of the data files but for those that the deletion vectors have."""
        super().check()
        table = self.table("trades")
        files = list(self.live_files(table))
        vectors = {file["referenced_data_file"]: self.vector(file) for content, file in files if content == 1}
        self.assertEqual(len(vectors), sum(content for content, _ in files))  # one a data file
        rows, row_ids = [], set()
        for _, file in (one for one in files if one[0] == 0):
            found = parquet.read_table(io.BytesIO(self.file(file["file_path"])), columns=self.TRADES).to_pylist()
            gone = vectors.pop(file["file_path"], set())
            rows += [tuple(row[name] for name in self.TRADES) for place, row in enumerate(found) if place not in gone]
            ids = range(file["first_row_id"], file["first_row_id"] + len(found))
            self.assertFalse(row_ids.intersection(ids))
            row_ids.update(ids)
        self.assertEqual(sorted(rows), self.trades())
        self.assertEqual(vectors, {})  # each is of a data file that is there
        self.assertLess(max(row_ids), table.metadata.next_row_id)


if __name__ == "__main__":
    unittest.main()
