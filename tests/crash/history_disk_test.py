"""Small disks that get full, can only be read, or lose their folder, under a steady load: the hot path goes on, the history catches up, and
in the end the tables have what the journal has, each thing once.

  history_disk_test.py [--seed N] [--rate 60] [--keep]

The warehouse is a disk of its own, and so is the data directory. The warehouse's is filled so that a commit has room for none, some, more of
its files; then it is mounted to be read only; then its folder is moved away. Each time trades are answered meanwhile, `status` says for how
long the history is failing, and that it is not any more. Then the data directory's disk is filled: the server ends and says why, and goes on
when there is room. Verified at the end, as in history_test.py: every row of every table, against the journal, the independent model, and a
history that is written in one go; and that the warehouse has the files that the tables name and no other.
"""
import shutil
import sys
import time

from history_test import HistoryRun
from killing import parser, play
from recompute import check
from server import PATIENCE, Load, status
from small_disk import SmallDisk

DISK_FULL = 73                    # src/server/serve.h
PAGES_LEFT = (0, 4, 15)  # of the files of a commit


class DiskRun(HistoryRun):
    def __init__(self, options, directory):
        super().__init__(options, directory)
        self.disk = SmallDisk(self.data, "64m")
        self.warehouse = SmallDisk(self.data / "warehouse", "32m")
        self.folder = self.data / "warehouse/halocline"
        self.failing = []  # seconds, of each outage

    def said(self):
        """The newest seq, and what status says of the history."""
        said = status(self.server.address)
        counters = {row["name"]: int(row["value"]) for row in said["counters"]}
        return int(said["last_seq"]), counters.get("history_seq", 0), counters.get("history_failing_seconds", 0), counters.get("history_failures", 0)

    def wait_for(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition(*self.said()):
            check(time.monotonic() < end, f"not {what} in {PATIENCE} s: {self.said()}\n{self.server.said()[-2000:]}")
            time.sleep(0.1)

    def catch_up(self):
        last = self.said()[0]
        self.wait_for(f"at {last}", lambda _, seq, failing, __: seq >= last and failing == 0)

    def outage(self, load, begin, end):
        self.catch_up()
        begin()
        self.wait_for("failing", lambda _, __, failing, ___: failing >= 1)
        check(self.serve_some(load, 20), f"the server ended by itself\n{self.server.said()[-2000:]}")  # trades are answered
        last, seq, failing, _ = self.said()
        check(seq < last, f"the tables are at {seq} of {last}, and nothing can be written")
        self.failing.append(failing)
        end()
        self.catch_up()

    def move_away(self):
        self.folder.rename(self.folder.with_name("away"))

    def move_back(self):
        # A commit that was under way may have made its folders again.
        for path in self.folder.rglob("*"):
            if path.is_file():
                path.rename(self.folder.with_name("away") / path.relative_to(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_name("away").rename(self.folder)

    def crash(self):
        self.start_serving()
        load = Load(self.server.address, self.options.seed, self.options.rate, self.directory / "load.log")
        try:
            load.wait_for("the floor", lambda: load.lines)
            for pages in PAGES_LEFT:
                self.outage(load, lambda: self.warehouse.fill(pages), self.warehouse.empty)
            self.outage(load, self.warehouse.read_only, lambda: self.warehouse.read_only(False))
            self.outage(load, self.move_away, self.move_back)
            self.disk.fill()
            check(not load.wait_for("the end of the server", lambda: False, self.server), "the server went on without room for its journal")
            check(self.server.ended() == DISK_FULL, f"the server ended otherwise\n{self.server.said()[-2000:]}")
            self.disk.empty()
            self.start_serving()
            check(self.serve_some(load, 20), f"the server ended by itself\n{self.server.said()[-2000:]}")
            return load.finish()
        finally:
            if load.process.poll() is None:
                load.process.kill()

    def unmount(self):
        self.end()
        self.warehouse.unmount()
        self.disk.unmount()


def prove(run):
    began = time.monotonic()
    try:
        commands, rows = run.verify(run.crash())
    except BaseException:
        run.end()
        shutil.copytree(run.data, run.directory / "failed")
        raise
    finally:
        run.unmount()
    return (f"{len(run.failing)} outages, failing for {', '.join(map(str, run.failing))} s: {commands} journaled commands, "
            f"{', '.join(f'{count} rows of {name}' for name, count in rows.items())}, each once, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    parsed = parser(__doc__, 60, "trades").parse_args()
    sys.exit(play("history disk test", parsed, DiskRun, prove))
