"""Kills the real server with SIGKILL under load, again and again, while it writes its history; in the end the tables have what the journal
has, each thing once.

  history_test.py --kills 20 [--seed N] [--rate 400] [--steps all|some] [--minio] [--keep]

First the server dies while it makes the tables, at each step (src/journal/crash_point.h) of each of them: in the middle of a file of the
warehouse, after it, before SQLite's transaction, in it, and when it is over and nobody was told. Then in the commit that ends it, at the same
steps; with --steps all at each file of such a commit. Then kills come at random numbers of answers, and at random times into a start. Verified at the end, with DuckDB through the server's own catalog:
  - trade_events, prices and alerts are, row by row, the journal's commands with the outcomes and events of the independent model;
  - every table is what a history says that is written from the same journal in one go: positions and nodes the newest row of each key, since
    they have a row a commit, and no key twice at one commit;
  - no command is in the span of two snapshots of a table;
  - once all files are old, and the tables have been looked after, the warehouse has the files that the tables name and no other.
With --minio the warehouse is in a MinIO of the test's own, which is killed now and then, too. Files there cannot be made to look old, so that
what nothing names is in the folders of tables, which the removal of orphans looks through, is all that is asked of them.
The seed is printed; a failing run keeps its directory and says where.
"""
import decimal
import os
import pathlib
import re
import shutil
import signal
import sys
import time

from pyiceberg.catalog.rest import RestCatalog

from crash_test import Run
from killing import parser, play
from recompute import check, recompute
from server import PATIENCE, Server, journal_commands, status

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / room) for room in ("system", "s3")]
from history_server import attached  # noqa: E402
from minio import BUCKET, Minio  # noqa: E402

WHOLE = ("trade_events", "prices", "alerts", "trades", "limits", "reference")  # the same rows however often they were committed
NEWEST = {"positions": "node_kind, node, instrument", "nodes": "node_id"}      # … and by which key the newest rows are
ACTIONS, SIDES = (None, "NEW", "AMEND", "CANCEL"), (None, "BUY", "SELL")
STEPS = (None, "RAISED", "ESCALATED", "EASED", "ACKNOWLEDGED", "CLEARED")
LEVELS = ("NONE", "WARN", "BREACH")
# A commit after some trades writes at least: a data file, a manifest, a manifest list and a metadata file of trade_events, trades, positions
# and nodes.
FILES = 16
ONCE = ("before_pointers", "in_pointers", "after_pointers")
MAKING = ("in_file", "after_file", *ONCE)  # the last one leaves the table


def amount(number):
    return decimal.Decimal(number).scaleb(-8)


def same(what, rows, wanted):
    check(len(rows) == len(wanted), f"{what}: {len(rows)} rows, and there should be {len(wanted)}")
    for row, one in zip(rows, wanted):
        check(row == one, f"{what}: a row is\n  {row}\nand should be\n  {one}")


class HistoryRun(Run):
    settings = {"history.enabled": "true", "history.commit_seconds": "1", "history.upkeep_seconds": "1", "catalog.listen": "127.0.0.1:0"}
    # Only the end commits.
    SELDOM = {"history.commit_seconds": "3600"}

    def crash(self):
        for table in (*WHOLE, *NEWEST):
            for point in MAKING:
                self.start({"HALOCLINE_CRASH_AT": f"{point}:1"}, wait=False)
                code = self.server.ended()
                check(code == -signal.SIGKILL, f"making {table}, or one before it, {point} ended the server with {code}\n{self.server.said()[-2000:]}")
                self.at_points += 1
        return super().crash()

    def die(self, load):
        # While the journal is short: an end reads so much of it and no more (kRecordsAtOnce), and commits only what the tables have not.
        waited = time.monotonic() + PATIENCE
        while not any(row["name"] == "history_commits" and int(row["value"]) > 0 for row in status(self.server.address)["counters"]):
            check(time.monotonic() < waited, f"no commit in {PATIENCE} s\n{self.server.said()[-2000:]}")
            time.sleep(0.1)
        self.pass_points(load)
        self.be_killed(load)

    def kill_at_random(self, load):
        check(self.serve_some(load, self.random.randrange(5, 2 * self.options.rate)), f"the server ended by itself\n{self.server.said()[-2000:]}")
        check(self.server.kill() == -signal.SIGKILL, "it had ended before it was killed")
        self.kills += 1

    def die_at(self, load, point, count):
        """In the commit with which a server ends. Whether it came so far."""
        self.server = Server(self.data, self.listen, {"HALOCLINE_CRASH_AT": f"{point}:{count}"}, settings={**self.settings, **self.SELDOM})
        check(self.server.address is not None, f"the server did not start\n{self.server.said()}")
        check(self.serve_some(load, 20), f"the server ended by itself\n{self.server.said()[-2000:]}")
        code = self.server.stop()
        check(code in (0, -signal.SIGKILL), f"{point}:{count} ended the server with {code}\n{self.server.said()[-2000:]}")
        self.at_points += code != 0
        return code != 0

    def die_at_points(self, load):
        for point in ONCE:
            check(self.die_at(load, point, 1), f"a commit passed {point} and lived")
        for point in ("in_file", "after_file"):
            if self.options.steps == "some":
                for count in (1, *sorted(self.random.sample(range(2, FILES + 1), 3))):
                    check(self.die_at(load, point, count), f"a commit passed {point} {count} times and lived")
                continue
            count = 1
            while self.die_at(load, point, count):
                count += 1
            check(count > FILES, f"a commit passed {point} {count} times")

    def settings_of(self, data):
        """Of a server on that directory."""
        return self.settings

    # -- what must hold

    def tables(self, data, until=None):
        """Everything of the journal in `data` is committed, and read: rows of commands up to `until`."""
        settings = self.settings_of(data)
        server = Server(data, settings=settings)
        last, waited = int(status(server.address)["last_seq"]), time.monotonic() + PATIENCE
        while sum(int(row["value"]) for row in status(server.address)["counters"] if row["name"] == "history_seq") < last:
            check(time.monotonic() < waited, f"the history did not come to {last} in {PATIENCE} s\n{server.said()[-2000:]}")
            time.sleep(0.1)  # a stop makes one more commit only, and of a long journal that is not all
        check(server.stop() == 0, f"a graceful stop must end with 0\n{server.said()[-2000:]}")
        self.server = server = Server(data, settings={**settings, "history.enabled": "false"})
        uri = re.search(r"^catalog (.*)$", (data / "serving").read_text(), re.MULTILINE).group(1)
        lake = attached(uri)

        def ask(sql):
            return lake.sql(sql).fetchall()

        def columns(name):
            return {row[0]: f'epoch_us("{row[0]}")' if row[1].startswith("TIMESTAMP") else f'"{row[0]}"' for row in ask(f"DESCRIBE lake.halocline.{name}")}
        catalog = RestCatalog("halocline", uri=uri)
        until = until or int(catalog.load_table("halocline.trade_events").properties["halocline.last-seq"])
        rows = {"until": until, "columns": {name: list(columns(name)) for name in WHOLE}}
        for name in WHOLE:
            where = f"WHERE seq <= {until}" if "seq" in columns(name) else ""
            rows[name] = ask(f"SELECT {', '.join(columns(name).values())} FROM lake.halocline.{name} {where} ORDER BY ALL")
        for name, key in NEWEST.items():
            twice = ask(f"SELECT seq, {key}, count(*) FROM lake.halocline.{name} GROUP BY ALL HAVING count(*) > 1")
            check(not twice, f"{name}: rows of one key at one seq: {twice[:3]}")
            # Without what each moment changes: the commit's own, and measures over time.
            changing = {"seq", "knowledge_time", "knowledge_time_ns", "trade_rate", "stale", "drawdown"}
            kept = ", ".join(value for column, value in columns(name).items() if column not in changing)
            there = "trades > 0" if name == "positions" else "true"  # one that was closed again was never there for who looks once
            rows[name] = ask(f"SELECT {kept} FROM (SELECT * FROM lake.halocline.{name} "
                             f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY seq DESC) = 1) WHERE {there} ORDER BY {key}")
        for name in (*WHOLE, *NEWEST):
            covered = 0
            for snapshot in catalog.load_table(f"halocline.{name}").snapshots():
                if snapshot.summary.operation.value == "replace":  # the same rows in other files
                    continue
                first, last = (int(snapshot.summary[f"halocline.{end}-seq"]) for end in ("first", "last"))
                check(covered < first <= last, f"{name}: a snapshot is of {first} to {last}, the one before went up to {covered}")
                covered = last
        check(server.stop() == 0, "a graceful stop must end with 0")
        return rows

    def verify(self, _):
        last = status(self.server.address, digest=True)
        check(self.server.stop() == 0, f"a graceful stop must end with 0\n{self.server.said()[-2000:]}")
        killed = self.tables(self.data)
        until = killed["until"]
        check(until >= int(last["last_seq"]), f"the tables are at {until}, the server was at {last['last_seq']}")
        commands = [command for command in journal_commands(self.data) if command["seq"] <= until]  # a start journals what time brought about
        outcomes, events = recompute(commands, (last,))
        self.verify_against_model(killed, commands, outcomes, events)

        self.verify_files()
        other = self.directory / "other"
        shutil.copytree(self.data / "journal", other / "journal")
        whole = self.tables(other, until)
        for name in (*WHOLE, *NEWEST):
            same(f"{name}, beside a history written in one go", killed[name], whole[name])
        return len(commands), {name: len(killed[name]) for name in (*WHOLE, *NEWEST)}

    def files(self):
        """Of the warehouse; none of them looks new."""
        there = [path for path in (self.data / "warehouse/halocline").rglob("*") if path.is_file()]
        for path in there:
            os.utime(path, (0, 0))
        return {f"file://{path}" for path in there}

    def verify_files(self):
        self.files()
        self.server = Server(self.data, settings={**self.settings, **self.SELDOM})
        waited = time.monotonic() + PATIENCE
        while not any(row["name"] == "history_upkeeps" for row in status(self.server.address)["counters"]):
            check(time.monotonic() < waited, f"the tables were not looked after in {PATIENCE} s\n{self.server.said()[-2000:]}")
            time.sleep(0.1)
        check(self.server.stop() == 0, "a graceful stop must end with 0")
        self.server = Server(self.data, settings={**self.settings, "history.enabled": "false"})
        catalog = RestCatalog("halocline", uri=re.search(r"^catalog (.*)$", (self.data / "serving").read_text(), re.MULTILINE).group(1))
        named, self.folders = set(), []
        for name in (*WHOLE, *NEWEST):
            table = catalog.load_table(f"halocline.{name}")
            self.folders.append(table.location())
            named |= {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
            for snapshot in table.snapshots():
                named.add(snapshot.manifest_list)
                for manifest in snapshot.manifests(table.io):
                    named.add(manifest.manifest_path)
                    named |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)}
        there = self.files()
        check(not named - there, f"files are named and not there: {sorted(named - there)[:3]}")
        left = self.left_for_ever(there - named)
        check(not left, f"{len(left)} files that nothing names are left: {sorted(left)[:3]}")
        check(self.server.stop() == 0, "a graceful stop must end with 0")

    def left_for_ever(self, unnamed):
        return unnamed

    @staticmethod
    def verify_against_model(tables, commands, outcomes, events):
        def chosen(name, columns):
            places = [tables["columns"][name].index(column) for column in columns]
            return [tuple(row[place] for place in places) for row in tables[name]]

        trades = [command for command in commands if command["type"] == "Trade"]
        same("trade_events", sorted(chosen("trade_events", ("seq", "knowledge_time_ns", "outcome", "first_seq", "source", "trade_id", "version", "action",
                                                            "book", "instrument", "side", "quantity", "price", "fees"))),
             [(c["seq"], c["time"], outcomes[c["seq"]][0], outcomes[c["seq"]][1] or None, c["source"], c["trade_id"], c["version"], ACTIONS[c["action"]],
               c["book"], c["instrument"], SIDES[c["side"]], amount(c["quantity"]), amount(c["price"]), amount(c["fees"])) for c in trades])
        priced = {"Price": ("PRICE", "instrument", "price"), "FxRate": ("FX_RATE", "currency", "rate"), "Currency": ("CURRENCY", "code", "rate")}
        same("prices", sorted(chosen("prices", ("seq", "command", "outcome", "instrument", "currency", "price"))),
             [(c["seq"], word, outcomes[c["seq"]][0], c[key] if word == "PRICE" else None, None if word == "PRICE" else c[key], amount(c[value]))
              for c in commands if c["type"] in priced for word, key, value in [priced[c["type"]]]])
        same("alerts", sorted(chosen("alerts", ("event_id", "alert_id", "seq", "step", "limit", "node", "level", "value", "threshold"))),
             [(e["event"], e["alert"], e["seq"], STEPS[e["step"]], e["limit"], e["node"], LEVELS[e["level"]], amount(e["value"]), amount(e["threshold"]))
              for e in events])


class MinioRun(HistoryRun):
    def __init__(self, options, directory):
        super().__init__(options, directory)
        self.minio = Minio(directory)
        self.keys = self.minio.credentials(directory / "keys")
        self.settings = self.settings_of(self.data)

    def settings_of(self, data):
        return {**HistoryRun.settings, "catalog.warehouse": f"s3://{BUCKET}/{data.name}", "catalog.s3_endpoint": self.minio.endpoint,
                "catalog.s3_credentials_file": str(self.keys), "catalog.s3_client_credentials_file": str(self.keys)}

    def kill_at_random(self, load):
        away = self.random.randrange(3) == 0
        if away:
            self.minio.stop(signal.SIGKILL)
        super().kill_at_random(load)
        if away:
            self.minio.start()

    def files(self):
        return set(self.minio.objects(self.data.name))

    def left_for_ever(self, unnamed):
        return {file for file in unnamed if not any(file.startswith(f"{folder}/") for folder in self.folders)}

    def end(self):
        super().end()
        self.minio.stop(signal.SIGKILL)


def prove(run):
    began = time.monotonic()
    commands, rows = run.verify(run.crash())
    return (f"{run.kills} kills ({run.in_recovery} at starts), {run.at_points} deaths at steps of making tables and of a commit: {commands} journaled commands, "
            f"{', '.join(f'{count} rows of {name}' for name, count in rows.items())}, each once, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    options = parser(__doc__, 400, "trades")
    options.add_argument("--steps", choices=("all", "some"), default="some", help="at which files of a commit the server dies, too")
    options.add_argument("--minio", action="store_true", help="the warehouse in a MinIO (tools/install-deps --s3)")
    parsed = options.parse_args()
    parsed.fault_points = "yes"
    sys.exit(play("history crash test", parsed, MinioRun if parsed.minio else HistoryRun, prove))
