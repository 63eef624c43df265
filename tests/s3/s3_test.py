#!/usr/bin/env python3
"""The history in an S3, on a real MinIO: everything the tests of a folder ask of it (tests/system), and what only an S3 brings along.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/s3/s3_test.py [-v]
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import history_tables_test  # noqa: E402
import history_test  # noqa: E402
import history_upkeep_test  # noqa: E402
import remote_catalog_test  # noqa: E402
from cli_test import DAMAGED, binary  # noqa: E402
from minio import BUCKET, Minio, Wire  # noqa: E402

BUILD = pathlib.Path(binary()).parent


class OnS3:
    """Tables in a bucket of a MinIO of the class's own, below a prefix of the test's own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.minio = Minio(cls.folder.name)
        cls.addClassCleanup(cls.minio.stop)
        cls.keys = cls.minio.credentials(pathlib.Path(cls.folder.name) / "keys")

    def setUp(self):
        self.prefix = self.id().rsplit(".", 1)[-1]
        self.place = f"s3://{BUCKET}/{self.prefix}"
        self.warehouse = (f"catalog.warehouse={self.place}", f"catalog.s3_endpoint={self.endpoint()}", f"catalog.s3_credentials_file={self.keys}",
                          f"catalog.s3_client_credentials_file={self.keys}")
        super().setUp()

    def endpoint(self):
        return self.minio.endpoint

    def tearDown(self):
        super().tearDown()
        self.assertFalse((self.data / "warehouse").exists(), "the data directory has a warehouse")

    def audit(self, **variables):
        """That the tables in the bucket are what the journal says, by a program that knows the AWS variables only."""
        done = subprocess.run([binary(), "audit", "verify", self.data, "--warehouse", self.place, "--json"], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **self.minio.variables(), **variables})
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(len(report["tables"]), 8, report)
        return report


class HistoryOnS3Test(OnS3, history_test.HistoryTest):
    def test_minio_is_killed_and_so_is_the_server(self):
        """In turn and together; the server takes trades all the while, and starts without its warehouse."""
        self.trade("0")
        self.wait_for_commit(self.sent[-1][0])
        for run in range(3):
            self.minio.stop(signal.SIGKILL)
            failures = self.status().get("history_failures", 0)
            for number in range(3):
                self.trade(f"r{run}-{number}")
            self.wait_for("history_failures", failures + 1)
            if run > 0:
                self.stop(signal.SIGKILL)
                self.start()
                self.trade(f"r{run}-without")
                self.wait_for("history_failures", 1)
            if run == 2:
                self.stop()  # in good order, while the warehouse is away
                self.start()
            self.minio.start()
            self.wait_for_commit(self.sent[-1][0])
        self.check()
        self.stop()
        self.audit()

    def test_what_crashes_leave_behind_is_found_and_nothing_else(self):
        """Dies in the middle of a commit's files; what is there then is what tables name, and some more, which the audit does not mind."""
        self.trade("1")
        self.wait_for_commit(self.sent[-1][0])
        self.stop()
        for point in ("in_file:2", "after_file:3", "before_pointers:1", "in_pointers:1", "after_pointers:1"):
            self.settings = ("history.commit_seconds=3600",)
            with unittest.mock.patch.dict(os.environ, HALOCLINE_CRASH_AT=point):
                self.start()
            self.trade(point.replace(":", "-"))
            self.server.stop(signal.SIGTERM)
            self.assertEqual(self.server.process.returncode, -signal.SIGKILL, point)
        self.settings = HistoryOnS3Test.settings
        self.start()
        self.check()
        named = {entry["file_path"] for name in ("trade_events", "trades") for entry in self.table(name).inspect.files().to_pylist()}
        self.assertEqual(named - set(self.minio.objects(self.prefix)), set())
        self.stop()
        self.audit()

    def test_secrets_stay_where_they_belong(self):
        self.trade("1")
        self.wait_for_commit(self.sent[-1][0])
        table = self.table("trades")
        self.assertEqual(table.io.properties["s3.endpoint"], self.minio.endpoint)
        self.assertEqual(table.io.properties["s3.secret-access-key"], self.minio.secret_key)
        shown = subprocess.run([binary(), "config", "show", *(word for setting in self.warehouse for word in ("--set", setting))],
                               capture_output=True, text=True, check=True).stdout
        self.assertIn(str(self.keys), shown)
        self.server.stop()
        self.assertNotIn(self.minio.secret_key, shown + self.server.said)
        for path in self.data.rglob("*"):
            self.assertFalse(path.is_file() and self.minio.secret_key.encode() in path.read_bytes(), path)
        # Clients that are told where, and bring their own keys.
        self.warehouse = self.warehouse[:-1]
        self.start()
        self.assertNotIn("s3.secret-access-key", self.table("trades").io.properties)
        with unittest.mock.patch.dict(os.environ, self.minio.variables()):
            self.assertEqual(self.by_pyiceberg("trades", self.TRADES), self.trades())

    def test_all_of_it_from_the_environment(self):
        self.stop()
        self.warehouse = (f"catalog.warehouse={self.place}/more", f"catalog.s3_client_credentials_file={self.keys}")
        self.data = self.data.parent / "other"
        with unittest.mock.patch.dict(os.environ, self.minio.variables()):
            self.start()
        self.cli("ref", "load", ROOT / "examples/floor.toml")
        self.trade("1")
        self.wait_for_commit(self.sent[-1][0])
        self.assertEqual(self.by_duckdb("trades", self.TRADES), self.trades())

    def test_wrong_keys_and_buckets_are_told(self):
        self.stop()
        wrong = self.data.parent / "wrong"
        for text, said in (("nothing\n", "wrong as catalog.s3_credentials_file"), ("", "aws_access_key_id")):
            wrong.write_text(text)
            done = subprocess.run([binary(), "serve", *self.flags(f"catalog.s3_credentials_file={wrong}")], capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
        for setting, said in (("catalog.warehouse=s3://Not-A-Bucket/x", "catalog.warehouse"), ("catalog.s3_endpoint=127.0.0.1:9000", "endpoint")):
            done = subprocess.run([binary(), "serve", *self.flags(setting)], capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
        self.warehouse = (*self.warehouse, "catalog.warehouse=s3://no-such-bucket/x")
        self.start()
        self.trade("1")
        self.wait_for("history_failures", 1)
        self.server.stop()
        self.assertRegex(self.server.said, r"history\.failed.*no-such-bucket")
        self.server = None

    def flags(self, *settings):
        all_of_them = (f"server.data_directory={self.data}", "server.listen=127.0.0.1:0", "history.enabled=true", *self.warehouse, *settings)
        return [word for setting in all_of_them for word in ("--set", setting)]

    def wait_for(self, what, least):
        history_upkeep_test.HistoryUpkeepTest.wait_for(self, what, least)


class BadWireTest(OnS3, history_tables_test.TablesCase):
    """The S3 is well, and the way to it is not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wire = Wire(cls.minio.port)
        cls.addClassCleanup(cls.wire.end)

    def endpoint(self):
        return f"http://127.0.0.1:{self.wire.port}"

    def some(self, name):
        """Trades, which are answered whatever the wire does."""
        for number in range(5):
            self.trade(f"{name}-{number}")

    def test_trades_go_on_and_the_history_catches_up(self):
        self.some("well")
        self.settle()
        for name, spoil, mend in (("cut", self.wire.cut, self.wire.mend), ("stalled", self.wire.stall, lambda: self.wire.stall(False))):
            failures = self.status().get("history_failures", 0)
            spoil()
            self.some(name)
            history_upkeep_test.HistoryUpkeepTest.wait_for(self, "history_failures", failures + 1)
            self.assertLess(self.status()["history_seq"], self.listing("status")["last_seq"])
            mend()
            self.settle()
        self.wire.slow(60_000)
        self.some("slow")
        self.settle()
        self.wire.slow(None)
        ids = sorted(f"{name}-{number}" for name in ("well", "cut", "stalled", "slow") for number in range(5))
        self.assertEqual([row[0] for row in self.by_duckdb("trade_events", ["trade_id"])], ids)
        self.assertEqual([row[0] for row in self.by_pyiceberg("trades", ["trade_id"])], ids)
        self.stop()
        self.audit()
        self.assertRegex(self.said, r"history\.failed")

    def stop(self, *how):
        server = self.server
        super().stop(*how)
        self.said = server.said


class HistoryOnS3InVersion3Test(OnS3, history_test.HistoryInVersion3Test):
    pass


class UpkeepOnS3Test(OnS3, history_upkeep_test.HistoryUpkeepTest):
    def lose_files(self):
        """Nothing can be made to look old there: orphans are warehouse_contract's."""
        return []


class UpkeepOnS3InVersion3Test(UpkeepOnS3Test):
    version = 3


class TablesOnS3Test(OnS3, history_tables_test.HistoryTablesTest):
    pass


class KeysOfTheCatalogTest(OnS3, remote_catalog_test.RemoteCatalogTest):
    """Another one's catalog with its tables in the bucket: the writer, and who audits, know of that S3 what the catalog says with each table."""

    audit = remote_catalog_test.RemoteCatalogTest.audit

    def test_keys_that_expire_are_exchanged(self):
        """The catalog's keys do not do any more; once it gives others with its tables, the writer goes on with them."""
        self.trade("before")
        self.settle()
        self.minio.exchange_keys(self.keys)
        self.trade("refused")
        self.wait_until_failing()
        self.stop_library()
        self.start_library()
        self.settle()
        self.trade("after")
        self.settle()
        self.check()
        self.check_audit()


class ArchiveOnS3Test(OnS3, history_tables_test.TablesCase):
    """Old segments of the journal in the bucket, too; what needs them fetches them from there."""

    SITTINGS, TRADES = 3, 3_000  # about a segment and a half each; the newest two stay

    def setUp(self):
        self.moments = []  # (seq, what was answered then)
        super().setUp()

    def start(self):
        if not any(setting.startswith("archive.") for setting in self.warehouse):
            self.warehouse = (*self.warehouse, f"archive.folder={self.place}/archive", "archive.local_bytes=0", "journal.segment_bytes=327680",
                              "checkpoint.records=1000", "checkpoint.keep=1", "rewind.states=0")
        super().start()

    def archived(self):
        return sorted(name for name in self.minio.objects(self.prefix) if name.endswith(".arc"))

    SQL = "SELECT count(*), sum(quantity) FROM trades"

    def load(self, name):
        """Many trades; then what they come to, at this seq."""
        lines = [json.dumps({"source": "a system with a long name", "trade_id": f"{name}, number {number}, with words that fill the journal",
                             "book": "eq-us", "trader": "T001", "counterparty": "street", "instrument": "AAPL", "side": "BUY",
                             "quantity": str(number + 1), "price": "190"}) for number in range(self.TRADES)]
        path = pathlib.Path(self.temp.name) / "trades.jsonl"
        path.write_text("\n".join(lines) + "\n")
        self.ok("trade", "--jsonl", path)
        seq = self.listing("status")["last_seq"]
        self.moments.append((seq, self.asked(seq)))

    def asked(self, seq):
        return self.listing("query", "--as-of", f"SEQ {seq}", self.SQL)["rows"]

    def wait_for_segments(self, least):
        history_upkeep_test.HistoryUpkeepTest.wait_for(self, "segments_archived", least)

    def digest_of_all(self):
        """By a program that has the data directory and the AWS variables."""
        done = subprocess.run([binary(), "journal", "digest", self.data, "--json"], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **self.minio.variables()})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["state_digest"]

    def test_rewinds_starts_and_audits_fetch_what_they_need(self):
        for sitting in range(self.SITTINGS):
            self.load(f"sitting {sitting}")
        self.settle()
        self.wait_for_segments(self.SITTINGS)
        self.assertGreaterEqual(len(self.archived()), self.SITTINGS)
        self.assertNotIn("journal-0000000001.seg", os.listdir(self.data / "journal"))
        self.assertEqual((self.data / "journal/ARCHIVE").read_text(), f"{self.place}/archive\n")
        # Nothing is near: each is worked out from the first segment on, or from the checkpoint before it.
        for seq, answer in self.moments:
            self.assertEqual(self.asked(seq), answer)
        self.assertEqual(self.asked(self.moments[0][0] // 2), self.asked(self.moments[0][0] // 2))
        # While the S3 is away: no rewind, and trades go on; segments wait.
        self.minio.stop(signal.SIGKILL)
        refused = self.cli("query", "--as-of", f"SEQ {self.moments[0][0] - 1}", self.SQL)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"{self.place}/archive", refused.stderr)
        self.trade("meanwhile")
        self.minio.start()
        for seq, answer in self.moments:
            self.assertEqual(self.asked(seq), answer)
        # A start from the whole journal, and audits.
        self.settle()
        self.stop(signal.SIGKILL)
        for checkpoint in (self.data / "checkpoints").iterdir():
            checkpoint.unlink()
        self.start()
        digest = self.listing("status", "--digest")["state_digest"]
        for seq, answer in self.moments:
            self.assertEqual(self.asked(seq), answer)
        self.settle()
        self.stop()
        self.assertEqual(self.digest_of_all(), digest)
        self.audit()

    def test_a_server_that_dies_moving_a_segment_loses_none(self):
        for sitting in range(self.SITTINGS):
            self.load(f"before {sitting}")
        self.wait_for_segments(1)
        for number, point in enumerate(("in_archive:1", "in_archive:2", "before_archived:1", "after_archived:1", "after_remove:1")):
            self.stop()
            with unittest.mock.patch.dict(os.environ, HALOCLINE_CRASH_AT=point), contextlib.suppress(duckdb.IOException, AssertionError):
                self.start()  # it may die in it, when what the one before left is due at once
            for sitting in range(10 * self.SITTINGS if self.server is not None else 0):
                with contextlib.suppress(AssertionError, ValueError):  # it is cut off in the middle of one
                    self.load(f"dies {number} {sitting}")
                if self.server.process.poll() is not None:
                    break
            if self.server is not None:
                self.assertEqual(self.server.stop(), -signal.SIGKILL, point)
            self.start()
            done = subprocess.run([binary(), "journal", "verify", self.data, "--json"], capture_output=True, text=True, timeout=120,
                                  env={**os.environ, **self.minio.variables()})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(json.loads(done.stdout)["first_seq"], 1)
        self.settle()
        for seq, answer in self.moments:
            self.assertEqual(self.asked(seq), answer)
        digest = self.listing("status", "--digest")["state_digest"]
        self.stop()
        self.assertEqual(self.digest_of_all(), digest)

    def test_a_damaged_segment_is_told(self):
        for sitting in range(self.SITTINGS):
            self.load(f"sitting {sitting}")
        self.wait_for_segments(1)
        seq, answer = self.moments[0]
        self.settle()
        self.stop()
        hit = self.archived()[0].removeprefix("s3://")
        files = self.minio.files()
        with files.open_input_file(hit) as file:
            whole = file.read()
        with files.open_output_stream(hit) as file:
            middle = len(whole) // 2
            file.write(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:])
        done = subprocess.run([binary(), "journal", "verify", self.data], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **self.minio.variables()})
        self.assertEqual(done.returncode, DAMAGED, done.stdout)
        self.assertIn(f"s3://{hit}", done.stdout + done.stderr)
        with files.open_output_stream(hit) as file:
            file.write(whole)
        self.start()
        self.assertEqual(self.asked(seq), answer)


class WarehouseTest(OnS3, unittest.TestCase):
    def tearDown(self):
        pass

    def test_what_a_warehouse_promises(self):
        subprocess.run([BUILD / "tests/s3/warehouse_contract", "--gtest_brief=1", self.place], env={**os.environ, **self.minio.variables()}, check=True,
                       timeout=300)


class OverTlsTest(OnS3, history_tables_test.TablesCase):
    """An endpoint with a certificate of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        certificates = pathlib.Path(cls.folder.name) / "certificates"
        certificates.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=minio",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificates / "private.key", "-out", certificates / "public.crt"],
                       check=True, capture_output=True)
        cls.minio = Minio(cls.folder.name, certificates)
        cls.addClassCleanup(cls.minio.stop)
        cls.authority = certificates / "public.crt"
        cls.keys = cls.minio.credentials(pathlib.Path(cls.folder.name) / "keys")

    def start(self):
        if not any(setting.startswith("catalog.s3_ca_file") for setting in self.warehouse):
            self.warehouse = (*self.warehouse, f"catalog.s3_ca_file={self.authority}")
        super().start()

    def test_its_certificate_is_looked_at(self):
        self.trade("1")
        self.settle()
        self.stop()
        self.audit(AWS_CA_BUNDLE=str(self.authority))
        self.warehouse = (*self.warehouse, "catalog.s3_ca_file=/etc/ssl/certs/ca-certificates.crt")
        self.start()
        self.trade("2")
        history_upkeep_test.HistoryUpkeepTest.wait_for(self, "history_failures", 1)
        self.assertEqual(self.status().get("history_rows", 0), 0)


if __name__ == "__main__":
    unittest.main()
