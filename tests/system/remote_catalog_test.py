#!/usr/bin/env python3
"""The history in a catalog that is another one's: a second server's, read there by PyIceberg. What was sent is there once, whatever is lost
on the way.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/remote_catalog_test.py [-v]
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from urllib.parse import parse_qs

from pyiceberg.catalog.rest import RestCatalog

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from cli_test import DAMAGED, Server, binary  # noqa: E402
from cut_proxy import CutProxy, JsonServer  # noqa: E402
from history_server import TIMEOUT, HistoryCase  # noqa: E402

TOKEN = "s3cret-of-the-library"
SECRET = "p&ss=word"
TABLES = {"trade_events", "trades", "prices", "alerts", "positions", "nodes", "limits", "reference"}


class RemoteCatalogTest(HistoryCase):
    """`server` writes; `library` has the catalog, behind a proxy."""

    settings = ("history.commit_seconds=1", "history.upkeep_seconds=1")

    def setUp(self):
        self.library = None
        self.proxy = CutProxy(b"/transactions/commit")
        self.tokens = JsonServer(self.token)
        self.asked = []
        self.sent = []
        super().setUp()

    def tearDown(self):
        super().tearDown()
        if self.library is not None:
            self.library.stop()
        self.proxy.close()
        self.tokens.close()

    def token(self, method, path, body):
        form = {key: value[0] for key, value in parse_qs(body).items()}
        self.asked.append((method, path, form))
        if form.get("client_secret") != SECRET:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600}

    def secret(self, name, text):
        path = pathlib.Path(self.temp.name) / name
        path.write_text(text)
        return path

    def start_library(self):
        data = pathlib.Path(self.temp.name) / "library"
        token = self.secret("library.token", TOKEN + "\n")
        self.library = Server(data, settings=["catalog.listen=127.0.0.1:0", f"catalog.token_file={token}", *self.warehouse])
        self.library_uri = re.search(r"^catalog (.*)$", (data / "serving").read_text(), re.MULTILINE).group(1)
        host, port = self.library_uri.removeprefix("http://").rsplit(":", 1)
        self.proxy.target = (host, int(port))

    def stop_library(self):
        self.library.stop()
        self.library = None

    def who(self):
        return f"catalog.uri_token_file={self.secret('catalog.token', TOKEN)}",

    def start(self):
        if self.library is None:
            self.start_library()
        self.server = Server(self.data, settings=["history.enabled=true", f"catalog.uri=http://{self.proxy.address}",
                                                  f"history.format_version={self.version}", *self.who(), *self.settings])

    def catalog(self):
        return RestCatalog("library", uri=self.library_uri, token=TOKEN)

    def trade(self, trade_id, version=1, action="NEW", quantity="100"):
        done = self.cli("trade", "--source", "oms", "--id", trade_id, "--version", version, "--action", action, "--book", "eq-us", "--trader", "T001",
                        "--counterparty", "street", "--instrument", "AAPL", "--side", "buy", "--quantity", quantity, "--price", "10", "--json")
        answer = json.loads(done.stdout)
        self.sent.append((int(answer["seq"]), trade_id, version, answer["outcome"]))

    def settle(self):
        self.wait_for_commit(self.sent[-1][0])

    def check(self):
        self.assertEqual(self.by_pyiceberg("trade_events", ["seq", "trade_id", "version", "outcome"]), self.sent)
        newest = {trade_id: version for _, trade_id, version, outcome in self.sent if outcome == "ACCEPTED"}
        self.assertEqual(self.by_pyiceberg("trades", ["trade_id", "version"]), sorted(newest.items()))

    def test_what_was_sent_is_there_once(self):
        self.trade("t1")
        self.settle()
        self.check()
        # Answers are lost, and requests, and both of them again and again.
        for number, plan in enumerate((["answer"], ["request"], ["request", "request", "answer"], ["answer", "request"])):
            self.proxy.plan = list(plan)
            self.trade(f"lost{number}")
            self.trade("t1", version=number + 2, action="AMEND", quantity=str(90 - number))
            self.settle()
        self.assertGreaterEqual(len(self.proxy.done), 6)
        self.check()
        # The writer dies, also with a request on its way.
        self.proxy.plan = ["answer"] * 3
        self.trade("killed")
        self.stop(signal.SIGKILL)
        self.start()
        self.proxy.plan = []
        self.trade("after")
        self.settle()
        self.check()
        # The catalog is away, and the hot path goes on.
        self.stop_library()
        self.trade("away")
        self.wait_until_failing()
        self.start_library()
        self.settle()
        self.assertEqual(self.status()["history_failing_seconds"], 0)
        self.check()
        # The tables are looked after there as they are at home.
        end = self.deadline()
        while self.status().get("history_upkeeps", 0) < 1:
            end()
        self.assertEqual(self.sent, sorted(set(self.sent)))
        self.check()
        self.check_audit()

    def audit(self, expected, *settings):
        """By who has the server's configuration, beside it or not."""
        words = [word for setting in (f"catalog.uri=http://{self.proxy.address}", *self.who(), *settings) for word in ("--set", setting)]
        done = subprocess.run([binary(), "audit", "verify", self.data, *words, "--scratch", self.temp.name, "--json"], capture_output=True,
                              text=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def check_audit(self):
        self.assertEqual(self.audit(0)["problems"], [])
        self.trade("audited")
        self.settle()
        report = self.audit(0)
        self.assertEqual({table["name"] for table in report["tables"]}, TABLES)
        self.assertGreaterEqual(report["tables_seq"], self.sent[-1][0])
        self.assertIn("catalog.uri", json.loads(self.cli("audit", "verify", self.data, "--json").stdout)["tables_note"])
        self.stop()
        table = self.table("trade_events")
        kept = table.current_snapshot().snapshot_id
        table.delete("trade_id = 'audited'")
        (problem,) = self.audit(DAMAGED)["problems"]
        self.assertEqual((problem["file"], problem["text"]), ("halocline.trade_events", "the row that follows from the journal is missing"))
        self.table("trade_events").manage_snapshots().rollback_to_snapshot(kept).commit()
        self.assertEqual(self.audit(0)["problems"], [])

    def wait_until_failing(self):
        end = self.deadline()
        while self.status().get("history_failing_seconds", 0) < 1:
            end()

    def deadline(self):
        last = time.monotonic() + TIMEOUT

        def end():
            self.assertLess(time.monotonic(), last, self.status())
            time.sleep(0.1)
        return end


class RemoteCatalogWithOAuth2Test(RemoteCatalogTest):
    version = 3

    def who(self):
        path = self.secret("oauth2", f"client_id = halocline\nclient_secret = {SECRET}\n")
        return f"catalog.uri_oauth2_file={path}", f"catalog.uri_oauth2_address={self.tokens.address}/oauth/token"

    def test_what_was_sent_is_there_once(self):
        self.trade("t1")
        self.trade("t1", version=2, action="AMEND")
        self.settle()
        self.check()
        self.assertEqual(self.asked, [("POST", "/oauth/token", {"grant_type": "client_credentials", "client_id": "halocline",
                                                                "client_secret": SECRET, "scope": "catalog"})])
        server = self.server
        self.stop()
        for secret in (TOKEN, SECRET):
            self.assertNotIn(secret, server.said)


class RefusedTest(unittest.TestCase):
    def refused(self, uri, *settings):
        with tempfile.TemporaryDirectory() as data:
            words = [word for setting in (f"server.data_directory={data}", "server.listen=127.0.0.1:0", "history.enabled=true",
                                          f"catalog.uri={uri}", *settings) for word in ("--set", setting)]
            done = subprocess.run([binary(), "serve", *words], capture_output=True, text=True, timeout=TIMEOUT)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_a_catalog_without_transactions(self):
        for endpoints in (["GET /v1/{prefix}/namespaces"], None):
            def answer(method, path, _, endpoints=endpoints):
                if path == "/v1/config":
                    return 200, {"defaults": {}, "overrides": {}, **({} if endpoints is None else {"endpoints": endpoints})}
                return 404, {"error": {"message": "no route", "type": "NotFound", "code": 404}}
            other = JsonServer(answer)
            self.assertIn("cannot commit to several tables at once", self.refused(other.address))
            other.close()

    def test_one_that_does_not_let_us_in(self):
        other = JsonServer(lambda *_: (401, {"error": {"message": "who?", "type": "NotAuthorizedException", "code": 401}}))
        said = self.refused(other.address)
        self.assertIn("answered 401", said)
        self.assertIn("credentials", said)
        other.close()

    def test_an_address_that_is_none_or_no_place_for_a_secret(self):
        self.assertIn("catalog.uri: an address must be", self.refused("ftp://127.0.0.1"))
        self.assertIn("without TLS", self.refused("http://catalog.example.com", "catalog.uri_token_file=/etc/hostname"))


if __name__ == "__main__":
    unittest.main()
