"""A server with its history and its catalog, and engines that are not ours to read them: PyIceberg and DuckDB, through the server's own
REST catalog."""
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

import duckdb
import duckdb_ext
from pyiceberg.catalog.rest import RestCatalog

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from cli_test import Server, binary  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 60


def attached(uri):
    """DuckDB with the catalog attached as `lake`."""
    connection = duckdb.connect()
    extensions = pathlib.Path(next(iter(duckdb_ext.__path__))) / "extensions" / f"v{duckdb.__version__}" / "linux_amd64"
    for extension in ("avro", "httpfs", "iceberg"):
        connection.execute(f"LOAD '{extensions / extension}.duckdb_extension'")
    connection.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none')")
    return connection


class HistoryCase(unittest.TestCase):
    version = 2
    settings = ("history.commit_seconds=1",)
    warehouse = ()  # settings of where the tables lie, when that is not the data directory

    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.data = pathlib.Path(self.temp.name) / "data"
        self.server = None
        self.start()
        self.cli("ref", "load", ROOT / "examples/floor.toml")

    def tearDown(self):
        if self.server is not None:
            self.server.stop()
        self.temp.cleanup()

    def start(self):
        self.server = Server(self.data, settings=["history.enabled=true", "catalog.listen=127.0.0.1:0",
                                                  f"history.format_version={self.version}", *self.warehouse, *self.settings])
        serving = (self.data / "serving").read_text()
        self.uri = re.search(r"^catalog (.*)$", serving, re.MULTILINE).group(1)
        self.duckdb = attached(self.uri)

    def stop(self, how=signal.SIGTERM):
        self.server.stop(how)
        self.server = None

    def cli(self, *args):
        environment = dict(os.environ, HALOCLINE_SERVER=self.server.address)
        done = subprocess.run([binary(), *map(str, args)], env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        return done

    def status(self):
        counters = json.loads(self.cli("status", "--json").stdout)["counters"]
        return {row["name"]: int(row["value"]) for row in counters}

    def wait_for_commit(self, seq):
        """Until the tables are at this seq."""
        end = time.monotonic() + TIMEOUT
        while self.status().get("history_seq", 0) < seq:
            self.assertLess(time.monotonic(), end, self.status())
            time.sleep(0.1)

    def catalog(self):
        return RestCatalog("halocline", uri=self.uri)

    def table(self, name):
        return self.catalog().load_table(f"halocline.{name}")

    def by_pyiceberg(self, table, columns, snapshot=None):
        rows = self.table(table).scan(selected_fields=tuple(columns), snapshot_id=snapshot).to_arrow().to_pylist()
        return sorted(tuple(row[name] for name in columns) for row in rows)

    def by_duckdb(self, table, columns, where="true"):
        return sorted(self.ask(f"SELECT {', '.join(columns)} FROM lake.halocline.{table} WHERE {where}"))

    def ask(self, query):
        """DuckDB's answer."""
        return self.duckdb.sql(query).fetchall()
