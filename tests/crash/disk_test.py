"""What the real server says and how it ends when the disk or its directory is not as it should be: exit code and message.

  python3 -m unittest tests/crash/disk_test.py        HALOCLINE_BIN names the binary (default: build/release/halocline)

Exit codes are those of src/server/serve.h; the words are looked for where an operator needs them: which file, where, what to do.
"""
import pathlib
import resource
import shutil
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from server import Load, Server, journal_commands  # noqa: E402
from small_disk import SmallDisk  # noqa: E402

DRAINED, DAMAGED, DISK_FULL, JOURNAL, IN_USE, FIRM = 0, 65, 73, 74, 75, 78
HEADER, BLOCK = 4096, 64  # bytes of a segment's header page; blocks begin at multiples of BLOCK


class DiskTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A journal of two segments and some records in the third, made under load and ended by SIGKILL."""
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="halocline-disk-"))
        cls.made = cls.scratch / "made"
        server = Server(cls.made)
        load = Load(server.address, 1, 2000, cls.scratch / "load.log")
        third = cls.made / "journal/journal-0000000003.seg"
        load.wait_for("a third segment", lambda: third.exists() and load.acks > 0)
        acks = load.acks
        load.wait_for("records in it", lambda: load.acks > acks + 200)
        server.kill()
        cls.acked = max(line["seq"] for line in list(load.lines) if "ack" in line)
        load.kill()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def setUp(self):
        self.data = self.scratch / self.id().rsplit(".", 1)[1]
        shutil.copytree(self.made, self.data)
        self.segments = sorted((self.data / "journal").glob("journal-*.seg"))

    def refused(self, code, *words, **options):
        server = Server(self.data, **options)
        self.assertIsNone(server.address, "the server started")
        self.assertEqual(server.ended(), code, server.said())
        for word in words:
            self.assertIn(word, server.said())
        return server.said()

    def starts(self):
        server = Server(self.data)
        self.assertIsNotNone(server.address, server.said())
        self.assertEqual(server.stop(), DRAINED, server.said())
        return server.said()

    def end_of_records(self):
        """Where the last block that is there begins and ends, in the last segment."""
        blocks = [at for at in self.block_offsets(self.segments[-1])]
        return blocks[-1], len(self.segments[-1].read_bytes().rstrip(b"\0"))

    @staticmethod
    def block_offsets(path):
        content = path.read_bytes()
        at = HEADER
        while content[at:at + 4] == b"HLK1":
            yield at
            payload = int.from_bytes(content[at + 24:at + 28], "little")
            at += (96 + payload + BLOCK - 1) // BLOCK * BLOCK

    def flip(self, path, offset):
        content = bytearray(path.read_bytes())
        content[offset] ^= 0x10
        path.write_bytes(content)

    def test_after_a_kill_it_starts_and_has_everything_acknowledged(self):
        self.starts()
        self.assertGreaterEqual(len(journal_commands(self.data)), self.acked)

    def test_a_torn_tail_is_wiped_and_said(self):
        before = len(journal_commands(self.data))
        begin, end = self.end_of_records()
        with open(self.segments[-1], "r+b") as file:  # the last commit reached the disk in part
            file.seek((begin + end) // 2)
            file.write(bytes(end - (begin + end) // 2))
        said = self.starts()
        self.assertIn("journal.torn_tail", said)
        self.assertIn(f"offset={begin}", said)
        left = journal_commands(self.data)
        self.assertLess(len([c for c in left if c["type"] != "Timer"]), before)

    def test_a_garbled_tail_is_wiped_and_said(self):
        begin, end = self.end_of_records()
        self.flip(self.segments[-1], (begin + end) // 2)
        self.assertIn("journal.torn_tail", self.starts())

    def test_a_flipped_byte_in_the_middle_stops_the_start(self):
        offsets = list(self.block_offsets(self.segments[1]))
        hit = offsets[len(offsets) // 2]
        self.flip(self.segments[1], hit + 100)
        self.refused(DAMAGED, self.segments[1].name, str(hit))

    def test_a_flipped_byte_before_later_commits_of_the_last_segment_stops_the_start(self):
        offsets = list(self.block_offsets(self.segments[-1]))
        self.flip(self.segments[-1], offsets[1] + 100)
        self.refused(DAMAGED, self.segments[-1].name, str(offsets[1]))

    def test_a_refused_start_changes_nothing(self):
        self.flip(self.segments[0], HEADER + 100)
        before = {path.name: path.read_bytes() for path in self.segments}
        self.refused(DAMAGED, self.segments[0].name)
        self.assertEqual(before, {path.name: path.read_bytes() for path in sorted((self.data / "journal").glob("journal-*.seg"))})

    def test_a_missing_segment_stops_the_start(self):
        self.segments[1].unlink()
        self.refused(DAMAGED, self.segments[1].name)

    def test_a_foreign_file_in_the_place_of_a_segment_stops_the_start(self):
        self.segments[1].write_bytes(b"#!/bin/sh\n" * 40_000)
        self.refused(DAMAGED, self.segments[1].name)

    def test_a_newer_format_stops_the_start(self):
        content = self.segments[0].read_bytes()
        # docs/formats/journal.md: the version stands behind the magic.
        self.segments[0].write_bytes(content[:8] + (99).to_bytes(4, "little") + content[12:])
        self.refused(DAMAGED, self.segments[0].name)

    def test_a_foreign_file_beside_the_segments_is_left_alone(self):
        (self.data / "journal/notes.txt").write_text("mine")
        self.starts()
        self.assertEqual((self.data / "journal/notes.txt").read_text(), "mine")

    def test_a_second_process_on_the_directory_is_refused_and_told_whose_it_is(self):
        first = Server(self.data)
        self.addCleanup(lambda: first.process.poll() is None and first.kill())
        self.refused(IN_USE, str(first.process.pid))
        self.assertEqual(first.stop(), DRAINED, "the first one is not disturbed")

    def test_another_firm_is_refused(self):
        self.refused(FIRM, "crash", "other", settings={"firm.name": "other"})

    def test_a_full_disk_at_the_start_is_said(self):
        """RLIMIT_FSIZE in the place of a small disk: a new segment cannot be made."""
        shutil.rmtree(self.data)
        self.refused(JOURNAL, "journal-0000000001", limit=lambda: self.limit_files(100_000))

    def test_a_disk_that_fills_up_ends_the_server_and_loses_nothing(self):
        """A real small disk: room for some segments, then no more."""
        shutil.rmtree(self.data)
        with SmallDisk(self.data, "2m"):
            server = Server(self.data, settings={"server.data_directory": str(self.data / "on")})
            self.assertIsNotNone(server.address, server.said())
            load = Load(server.address, 3, 5000, self.scratch / "full.log")
            # The load may have been told why, and have ended, before the server has.
            self.assertEqual(server.ended(), DISK_FULL, server.said())
            self.assertIn("full", server.said())
            load.kill()
            acked = max(line["seq"] for line in load.lines if "ack" in line)
            self.assertGreater(acked, 1000)
            self.assertGreaterEqual(len(journal_commands(self.data / "on")), acked)

    @staticmethod
    def limit_files(size):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # write() then fails with EFBIG
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


if __name__ == "__main__":
    unittest.main()
