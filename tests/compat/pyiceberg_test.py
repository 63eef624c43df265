#!/usr/bin/env python3
"""PyIceberg on our catalog, as any user of it would be: nothing here knows more of the server than its address.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/compat/pyiceberg_test.py [-v]
"""
import json
import logging
import pathlib
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

import pyarrow
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (CommitFailedException, NamespaceAlreadyExistsError, NamespaceNotEmptyError, NoSuchNamespaceError,
                                  NoSuchTableError, TableAlreadyExistsError, UnauthorizedError)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform
from pyiceberg.types import DecimalType, LongType, NestedField, StringType, TimestamptzType

from catalog_server import CatalogServer

SCHEMA = Schema(NestedField(1, "seq", LongType(), required=True), NestedField(2, "book", StringType(), required=False),
                NestedField(3, "price", DecimalType(38, 8), required=False), NestedField(4, "at", TimestamptzType(), required=False),
                identifier_field_ids=[1])
ROWS = pyarrow.schema([pyarrow.field("seq", pyarrow.int64(), nullable=False), pyarrow.field("book", pyarrow.string())])


def rows(*seqs):
    return pyarrow.table({"seq": list(seqs), "book": [f"book-{seq}" for seq in seqs]}, schema=ROWS)


class CatalogTest(unittest.TestCase):
    settings = {}

    def setUp(self):
        self.server = CatalogServer(**self.settings).start()
        self.addCleanup(self.server.close)

    def client(self, **properties):
        return RestCatalog("halocline", uri=self.server.uri, **properties)

    def request(self, method, path, body=None, **headers):
        """The plain protocol: status, headers and the body as JSON."""
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        request = urllib.request.Request(f"{self.server.uri}/v1/{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, error.headers, json.loads(text) if text else None


class PyIcebergTest(CatalogTest):
    def test_tables_are_made_written_and_read(self):
        catalog = self.client()
        catalog.create_namespace("risk", {"owner": "desk"})
        self.assertEqual(catalog.load_namespace_properties("risk"), {"owner": "desk"})
        spec = PartitionSpec(PartitionField(source_id=1, field_id=1000, transform=BucketTransform(4), name="seq_bucket"))
        table = catalog.create_table("risk.trades", SCHEMA, partition_spec=spec, properties={"write.metadata.previous-versions-max": "3"})
        self.assertTrue(table.location().startswith(self.server.warehouse + "/risk/trades-"))
        wide = table.schema().as_arrow()
        for start in range(0, 50, 10):
            seqs = list(range(start, start + 10))
            table.append(pyarrow.table({"seq": seqs, "book": ["b"] * 10, "price": [None] * 10, "at": [None] * 10}, schema=wide))
        table.delete("seq >= 45")
        read = self.client().load_table("risk.trades")
        self.assertEqual(sorted(read.scan().to_arrow()["seq"].to_pylist()), list(range(45)))
        first = read.history()[0].snapshot_id
        self.assertEqual(sorted(read.scan(snapshot_id=first).to_arrow()["seq"].to_pylist()), list(range(10)))
        self.assertEqual(len(read.metadata.metadata_log), 3)

    def test_format_version_3(self):
        catalog = self.client()
        catalog.create_namespace("risk")
        table = catalog.create_table("risk.t", SCHEMA, properties={"format-version": "3"})
        self.assertEqual((table.metadata.format_version, table.metadata.next_row_id), (3, 0))
        self.assertEqual(self.client().load_table("risk.t").metadata.format_version, 3)

    def test_schema_spec_and_properties_evolve(self):
        catalog = self.client()
        catalog.create_namespace("risk")
        table = catalog.create_table("risk.t", ROWS)
        table.append(rows(1, 2))
        with table.update_schema() as update:
            update.add_column("note", StringType()).rename_column("book", "desk")
        with table.update_spec() as update:
            update.add_field("seq", BucketTransform(2), "seq_bucket")
        with table.transaction() as change:
            change.set_properties(owner="risk")
        read = self.client().load_table("risk.t")
        self.assertEqual([field.name for field in read.schema().fields], ["seq", "desk", "note"])
        self.assertEqual(read.properties["owner"], "risk")
        self.assertEqual(read.spec().fields[0].name, "seq_bucket")
        self.assertEqual(sorted(read.scan().to_arrow()["desk"].to_pylist()), ["book-1", "book-2"])

    def test_branches_and_tags(self):
        catalog = self.client()
        catalog.create_namespace("risk")
        table = catalog.create_table("risk.t", ROWS)
        table.append(rows(1))
        table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "eod").commit()
        table.append(rows(2))
        read = self.client().load_table("risk.t")
        self.assertEqual(read.scan(snapshot_id=read.metadata.refs["eod"].snapshot_id).to_arrow()["seq"].to_pylist(), [1])

    def test_of_two_committers_one_is_told_to_look_again(self):
        catalog = self.client()
        catalog.create_namespace("risk")
        catalog.create_table("risk.t", ROWS, properties={"commit.retry.num-retries": "0"})
        one, other = self.client().load_table("risk.t"), self.client().load_table("risk.t")
        one.append(rows(1))
        with self.assertRaises(CommitFailedException):
            other.append(rows(2))
        other.refresh()
        other.append(rows(2))
        self.assertEqual(sorted(self.client().load_table("risk.t").scan().to_arrow()["seq"].to_pylist()), [1, 2])

    def test_many_committers_lose_and_double_nothing(self):
        self.client().create_namespace("risk")
        self.client().create_table("risk.t", ROWS)
        wrong = []

        def commit(worker):
            try:
                table = self.client().load_table("risk.t")
                for i in range(4):
                    while True:
                        try:
                            table.append(rows(worker * 100 + i))
                            break
                        except CommitFailedException:
                            table.refresh()
            except Exception as error:  # told to the test, which fails with it
                wrong.append(error)

        workers = [threading.Thread(target=commit, args=(worker,)) for worker in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(wrong, [])
        read = sorted(self.client().load_table("risk.t").scan().to_arrow()["seq"].to_pylist())
        self.assertEqual(read, sorted(worker * 100 + i for worker in range(4) for i in range(4)))

    def test_rename_register_drop_and_purge(self):
        catalog = self.client()
        catalog.create_namespace("risk")
        catalog.create_namespace("other")
        table = catalog.create_table("risk.t", ROWS)
        table.append(rows(1))
        catalog.rename_table("risk.t", "other.u")
        with self.assertRaises(NoSuchTableError):
            catalog.load_table("risk.t")
        moved = catalog.load_table("other.u")
        catalog.drop_table("other.u")
        self.assertEqual(catalog.list_tables("other"), [])
        again = catalog.register_table("risk.v", moved.metadata_location)
        self.assertEqual(again.scan().to_arrow()["seq"].to_pylist(), [1])
        folder = pathlib.Path(again.location().removeprefix("file://"))
        self.assertTrue(folder.exists())
        catalog.purge_table("risk.v")
        self.assertFalse(folder.exists())

    def test_refusals_are_the_errors_of_the_spec(self):
        catalog = self.client()
        with self.assertRaises(NoSuchNamespaceError):
            catalog.create_table("risk.t", ROWS)
        catalog.create_namespace("risk")
        catalog.create_table("risk.t", ROWS)
        for error, what in ((NamespaceAlreadyExistsError, lambda: catalog.create_namespace("risk")),
                            (TableAlreadyExistsError, lambda: catalog.create_table("risk.t", ROWS)),
                            (NamespaceNotEmptyError, lambda: catalog.drop_namespace("risk")),
                            (NoSuchNamespaceError, lambda: catalog.drop_namespace("none")),
                            (NoSuchNamespaceError, lambda: catalog.list_tables("none")),
                            (NoSuchTableError, lambda: catalog.drop_table("risk.none"))):
            with self.assertRaises(error):
                what()

    def test_everything_is_there_after_a_kill(self):
        catalog = self.client()
        catalog.create_namespace("risk")
        table = catalog.create_table("risk.t", ROWS)
        for seq in range(3):
            table.append(rows(seq))
        self.server.stop(9)
        self.server.start()
        table = self.client().load_table("risk.t")
        self.assertEqual(sorted(table.scan().to_arrow()["seq"].to_pylist()), [0, 1, 2])
        table.append(rows(3))
        self.assertEqual(self.server.stop()[0], 0)


class ProtocolTest(CatalogTest):
    """What PyIceberg has no words for."""

    def setUp(self):
        super().setUp()
        self.request("POST", "namespaces", {"namespace": ["risk"]})

    def create(self, name, **more):
        schema = {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "seq", "required": True, "type": "long"}]}
        return self.request("POST", "namespaces/risk/tables", {"name": name, "schema": schema, **more})

    def change(self, name, key, requirements=()):
        return {"identifier": {"namespace": ["risk"], "name": name}, "requirements": list(requirements),
                "updates": [{"action": "set-properties", "updates": {key: "1"}}]}

    def properties(self, name):
        return self.request("GET", f"namespaces/risk/tables/{name}")[2]["metadata"]["properties"]

    def test_a_transaction_is_all_or_nothing(self):
        self.create("a")
        self.create("b")
        status, _, _ = self.request("POST", "transactions/commit", {"table-changes": [self.change("a", "x"), self.change("b", "x")]})
        self.assertEqual(status, 204)
        stale = {"type": "assert-current-schema-id", "current-schema-id": 9}
        status, _, body = self.request("POST", "transactions/commit",
                                       {"table-changes": [self.change("a", "y"), self.change("b", "y", [stale])]})
        self.assertEqual((status, body["error"]["type"]), (409, "CommitFailedException"))
        for name in ("a", "b"):
            self.assertIn("x", self.properties(name))
            self.assertNotIn("y", self.properties(name))

    def test_an_etag_saves_the_answer(self):
        self.create("a")
        status, headers, _ = self.request("GET", "namespaces/risk/tables/a")
        etag = headers["ETag"]
        self.assertEqual(self.request("GET", "namespaces/risk/tables/a", **{"If-None-Match": etag})[0], 304)
        status, headers, _ = self.request("POST", "namespaces/risk/tables/a", self.change("a", "x"))
        self.assertEqual(status, 200)
        self.assertNotEqual(headers["ETag"], etag)
        self.assertEqual(self.request("GET", "namespaces/risk/tables/a", **{"If-None-Match": etag})[0], 200)
        self.assertEqual(self.request("GET", "namespaces/risk/tables/a", **{"If-None-Match": headers["ETag"]})[0], 304)

    def test_listings_come_in_pages_when_asked_for(self):
        for name in "edcba":
            self.create(name)
        self.assertEqual([table["name"] for table in self.request("GET", "namespaces/risk/tables")[2]["identifiers"]], list("abcde"))
        names, token = [], ""
        while token is not None:
            query = urllib.parse.urlencode({"pageToken": token, "pageSize": 2})
            page = self.request("GET", f"namespaces/risk/tables?{query}")[2]
            names.append("".join(table["name"] for table in page["identifiers"]))
            token = page.get("next-page-token")
        self.assertEqual(names, ["ab", "cd", "e"])
        self.assertEqual(self.request("GET", "namespaces?pageToken=zz")[0], 400)
        self.assertEqual(self.request("GET", "namespaces?pageToken=&pageSize=0")[0], 400)

    def test_nested_namespaces(self):
        self.assertEqual(self.request("POST", "namespaces", {"namespace": ["risk", "eod"]})[0], 200)
        self.assertEqual(self.request("GET", "namespaces?parent=risk")[2], {"namespaces": [["risk", "eod"]]})
        self.assertEqual(self.request("GET", "namespaces/risk%1Feod")[2]["namespace"], ["risk", "eod"])
        self.assertEqual(self.request("HEAD", "namespaces/risk%1Feod")[0], 204)
        self.assertEqual(self.request("HEAD", "namespaces/risk%1Fnone")[0], 404)

    def test_snapshots_of_refs_only(self):
        table = self.client().load_table("risk.a") if self.create("a")[0] == 200 else self.fail("no table")
        table.append(pyarrow.table({"seq": [1]}, schema=pyarrow.schema([ROWS.field("seq")])))
        table.append(pyarrow.table({"seq": [2]}, schema=pyarrow.schema([ROWS.field("seq")])))
        self.assertEqual(len(self.request("GET", "namespaces/risk/tables/a?snapshots=all")[2]["metadata"]["snapshots"]), 2)
        self.assertEqual(len(self.request("GET", "namespaces/risk/tables/a?snapshots=refs")[2]["metadata"]["snapshots"]), 1)
        self.assertEqual(self.request("GET", "namespaces/risk/tables/a?snapshots=some")[0], 400)

    def test_what_is_wrong_is_said(self):
        self.create("a")
        cases = [
            ("POST", "namespaces", b"{", 400, "Cannot parse request body"),
            ("POST", "namespaces", b"[" * 100_000, 400, "nested more than 128 deep"),
            ("POST", "namespaces", {"namespace": []}, 400, "Invalid namespace: it is empty"),
            ("POST", "namespaces", {"namespace": ["a\u001fb"]}, 400, "control character"),
            ("POST", "namespaces/risk/tables", {"name": "b"}, 400, "schema is missing"),
            ("POST", "namespaces/risk/tables/a", {"requirements": [], "updates": [{"action": "fly"}]}, 406, "\"fly\""),
            ("POST", "namespaces/risk/tables/a", {"requirements": [{"type": "hope"}], "updates": []}, 406, "\"hope\""),
            ("POST", "namespaces/risk/tables/a", {"updates": []}, 400, "requirements is missing"),
            ("POST", "transactions/commit", {"table-changes": []}, 400, "table-changes is empty"),
            ("POST", "namespaces/risk/properties", {"removals": ["x"], "updates": {"x": "1"}}, 422, "simultaneously"),
            ("POST", "namespaces/risk/register", {"name": "b", "metadata-location": "/etc/passwd"}, 400, "not in the warehouse"),
            ("PUT", "namespaces", None, 405, "GET, POST"),
            ("GET", "views", None, 404, "No such path"),
            ("GET", "namespaces/%zz", None, 400, "Not a path"),
            ("GET", "config?warehouse=other", None, 404, "There is no warehouse other"),
            ("POST", "namespaces", b"x" * (9 << 20), 413, "bytes"),
        ]
        for method, path, body, status, words in cases:
            with self.subTest(path=path, words=words):
                got, _, answer = self.request(method, path, body)
                self.assertEqual(got, status, answer)
                self.assertEqual(answer["error"]["code"], status)
                self.assertIn(words, answer["error"]["message"])

    def test_only_served_endpoints_are_advertised(self):
        config = self.request("GET", f"config?warehouse={urllib.parse.quote(self.server.warehouse)}")[2]
        self.assertEqual((config["defaults"], config["overrides"]), ({}, {}))
        self.create("a")
        for endpoint in config["endpoints"]:
            method, path = endpoint.split(" ")
            path = path.replace("/v1/{prefix}/", "").replace("{namespace}", "risk").replace("{table}", "a")
            if method != "DELETE":
                self.assertNotIn(self.request(method, path, {} if method == "POST" else None)[0], (404, 405), endpoint)


class TokenTest(CatalogTest):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        secret = pathlib.Path(folder) / "token"
        secret.write_text("open-sesame\n")
        self.settings = {"catalog.token_file": secret}
        super().setUp()

    def test_only_who_has_the_token_gets_in(self):
        self.assertEqual(self.request("GET", "config")[0], 401)
        self.assertEqual(self.request("GET", "config", Authorization="Bearer open-sesam")[0], 401)
        with self.assertRaises(UnauthorizedError):
            self.client(token="guess")
        self.client(token="open-sesame").create_namespace("risk")


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # PyIceberg tells of each commit it tries again
    unittest.main()
