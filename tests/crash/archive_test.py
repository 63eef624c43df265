"""Kills the real server at each step of moving a segment to the archive; the journal is whole after it, and nothing is there twice for good.

  archive_test.py [--rounds 1]      HALOCLINE_BIN names the binary (default: build/release/halocline)

Small segments, a checkpoint every few hundred commands, nothing kept local: under load segments go to the archive soon. The server dies by
SIGKILL at the n-th passage of a step (docs/formats/archive.md, "Fault points"). Then `halocline journal verify` finds no fault in what is
left, everything acknowledged is in the journal, and the next start has the books that the whole journal gives, archived segments included.
With checkpoints that it cannot read it begins with the archive; where that has lost its beginning it says so, and what helps.
"""
import argparse
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "audit"))
import forge  # noqa: E402
from server import BIN, Load, Server, journal_commands, status  # noqa: E402

STEPS = ("in_archive:1", "in_archive:2", "before_archived:1", "after_archived:1", "after_archived:2", "after_remove:1", "after_remove:3")
RATE = 4000
PAGE = 4096  # the header of a checkpoint (docs/formats/checkpoint.md)


def settings(directory):
    return {"checkpoint.records": "300", "checkpoint.keep": "1", "archive.folder": str(directory / "archive"), "archive.local_bytes": "0"}


def tool(*words):
    return subprocess.run([str(BIN), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Run:
    def __init__(self, directory):
        self.directory, self.data = directory, directory / "data"
        self.server = self.load = None

    def end(self):
        for process in (self.server and self.server.process, self.load and self.load.process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def start(self, crash_at=None):
        environment = {"HALOCLINE_CRASH_AT": crash_at} if crash_at else {}
        self.server = Server(self.data, environment=environment, settings=settings(self.directory))
        assert self.server.address or crash_at and self.server.ended() == -signal.SIGKILL, self.server.said()

    def archived(self):
        return sorted(self.directory.glob("archive/journal-*.arc"))

    def check(self, acked):
        """Offline: every block checks, archived ones too, and what was acknowledged is there."""
        verified = tool("journal", "verify", self.data, "--json")
        assert verified.returncode == 0, (verified.stdout + verified.stderr).decode()
        assert json.loads(verified.stdout)["first_seq"] == 1
        assert len(journal_commands(self.data)) >= acked

    def check_digest(self, told):
        """That the whole journal gives it."""
        recomputed = json.loads(tool("journal", "digest", self.data, "--at", told["last_seq"], "--json").stdout)
        assert recomputed["state_digest"] == told["state_digest"], (recomputed, told)

    def die(self, step, seed):
        """-> the highest seq that was acknowledged"""
        self.start(step)
        if self.server.address is None:
            return 0  # what the one before left was due at once
        self.load = Load(self.server.address, seed, RATE, self.directory / "load.log")
        alive = self.load.wait_for(f"a kill at {step}", lambda: False, self.server)
        assert not alive and self.server.ended() == -signal.SIGKILL, f"it did not die at {step}: {self.server.said()}"
        acked = max((line["seq"] for line in list(self.load.lines) if "ack" in line), default=0)
        self.load.kill()
        return acked

    def round(self, seed):
        acked = 0
        for number, step in enumerate(STEPS):
            acked = max(acked, self.die(step, seed + number))
            self.check(acked)
        # A last start: it has the books of the whole journal, moves what is due, and leaves nothing half-made.
        self.start()
        self.check_digest(status(self.server.address, digest=True))
        assert self.server.stop() == 0, self.server.said()
        self.check(acked)
        assert len(self.archived()) > 3, self.archived()

    def start_with_checkpoints_of_another_version(self):
        """From the archive; and where its beginning was removed, not at all, until the version that took them or the segments are back."""
        folder = self.data / "checkpoints"
        kept = {path: path.read_bytes() for path in folder.glob("*.ckp")}

        def put(change):
            for path in folder.glob("*.ckp"):
                path.unlink()
            for path, whole in kept.items():
                path.write_bytes(change(whole))

        def of_another_version(whole):
            page = bytearray(whole[:PAGE])
            struct.pack_into("<II", page, 8, 99, 0)
            struct.pack_into("<I", page, 12, forge.crc32c(page))
            return bytes(page) + whole[PAGE:]
        put(of_another_version)
        self.start()
        digest = status(self.server.address, digest=True)
        assert "is of format 99" in self.server.said() and "checkpoint.loaded" not in self.server.said(), self.server.said()
        assert self.server.kill() == -signal.SIGKILL
        self.check_digest(digest)
        removed = {path: path.read_bytes() for path in self.archived()[:2]}
        for path in removed:
            path.unlink()
        put(of_another_version)  # without the one that this start may have taken
        server = Server(self.data, settings=settings(self.directory))
        assert server.address is None and server.ended() == 65, server.said()
        for words in ("no beginning any more (archive.keep_days)", "is of format 99", "Start the version of the program that took them"):
            assert words in server.said(), server.said()
        put(lambda whole: whole)
        self.start()
        digest = status(self.server.address, digest=True)
        assert self.server.stop() == 0, self.server.said()
        for path, whole in removed.items():
            path.write_bytes(whole)
        self.check_digest(digest)

    def refuse_what_is_damaged(self):
        """A flipped byte and a missing file in the archive: each is named by who needs it."""
        hit = self.archived()[1]
        whole = hit.read_bytes()
        hit.write_bytes(whole[:6000] + bytes([whole[6000] ^ 1]) + whole[6001:])
        verified = tool("journal", "verify", self.data)
        assert verified.returncode == 5 and str(hit) in verified.stderr.decode(), verified
        hit.unlink()
        verified = tool("journal", "verify", self.data)
        assert verified.returncode == 5 and hit.stem in (verified.stdout + verified.stderr).decode(), verified
        server = Server(self.data, settings=settings(self.directory))
        assert server.address is None and server.ended() == 65 and hit.stem in server.said(), server.said()
        hit.write_bytes(whole)
        self.check(0)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--rounds", type=int, default=1)
    options = options.parse_args()
    for seed in range(options.rounds):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="halocline-archive-"))
        run = Run(directory)
        try:
            run.round(1 + seed * len(STEPS))
            run.start_with_checkpoints_of_another_version()
            run.refuse_what_is_damaged()
        except BaseException:
            run.end()
            print(f"FAILED: all of it is in {directory}", file=sys.stderr)
            raise
        print(f"{len(STEPS)} kills while segments were archived, {len(run.archived())} archived: the journal is whole")
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
