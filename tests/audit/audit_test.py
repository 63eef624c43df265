#!/usr/bin/env python3
"""Every attack on the record that `halocline audit` speaks of, made by hand, and what the audit says of it.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/audit/audit_test.py [-v]
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(ROOT / "tests/system"), str(ROOT / "tools")]
import forge  # noqa: E402
import verify_proof  # noqa: E402
from cli_test import DAMAGED, DONE, FLOOR, NOT_FOUND, REFUSED, USAGE, Server, run_cli  # noqa: E402

SETTINGS = ["audit.head_seconds=1", "journal.segment_bytes=1048576"]
TRADES = 12


class Record:
    """A data directory that a server wrote in three sittings, each of which ended with a head."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        (folder / "floor.toml").write_text(FLOOR)
        self.sit(lambda server: run_cli(server.address, "ref", "load", folder / "floor.toml", expect=DONE))
        for first in (0, TRADES // 2):
            self.sit(lambda server: [self.trade(server, number) for number in range(first, first + TRADES // 2)])  # noqa: B023

    def sit(self, what):
        server = Server(self.data, settings=SETTINGS)
        what(server)
        assert server.stop() == 0

    def trade(self, server, number, *more):
        run_cli(server.address, "trade", "--source", "oms", "--id", f"t{number}", "--book", "b1", "--trader", "anna", "--counterparty", "cp",
                "--instrument", "AAPL", "--side", "buy", "--quantity", number + 1, "--price", "190", *more, expect=DONE)


class AuditCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.record = Record(pathlib.Path(cls.temp.name))
        cls.key = (cls.record.data / "audit/witness").read_text().split()[2]

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def setUp(self):
        """A copy to attack."""
        self.folder = pathlib.Path(self.temp.name) / self.id().rpartition(".")[2]
        self.data = self.folder / "data"
        shutil.copytree(self.record.data, self.data)
        self.segment = self.data / "journal/journal-0000000001.seg"
        self.witness = self.data / "audit/witness"

    def tearDown(self):
        shutil.rmtree(self.folder)

    def verify(self, *args, expect=DAMAGED):
        done = run_cli("", "audit", "verify", self.data, *args, "--json", expect=expect)
        return json.loads(done.stdout)

    def assert_problem(self, file, place, text, *args):
        """The audit finds this, there; exit code 5."""
        report = self.verify(*args)
        self.assertFalse(report["ok"])
        found = [p for p in report["problems"] if p["file"] == str(file) and re.fullmatch(place, p["place"]) and re.search(text, p["text"])]
        self.assertTrue(found, report["problems"])
        return report

    def rewrite(self, change):
        """The journal with its blocks changed, all checksums right. The last block, its seal, stays."""
        blocks, _ = forge.read_blocks(self.segment)
        seal = blocks.pop()
        self.assertEqual(seal[1], [])
        change(blocks)
        forge.write_blocks(self.segment, [*blocks, seal])

    def lines(self):
        return self.witness.read_text().splitlines()

    def write_lines(self, lines):
        self.witness.write_text("".join(line + "\n" for line in lines))


class JournalAttackTest(AuditCase):
    def test_nothing_was_done(self):
        report = self.verify("--key", self.key, expect=DONE)
        self.assertEqual(report["problems"], [])
        self.assertEqual(report["signed_seq"], report["last_seq"])
        self.assertGreaterEqual(report["heads"], 3)
        self.assertEqual(report["heads_unchecked"], 0)
        self.assertEqual(report["keys"], [self.key])
        text = run_cli("", "audit", "verify", self.data, expect=DONE).stdout
        self.assertIn(self.key, text)
        forge.write_blocks(self.segment, forge.read_blocks(self.segment)[0])  # the forger's tool changes nothing by itself
        self.verify(expect=DONE)

    def test_a_byte_is_flipped(self):
        data = bytearray(self.segment.read_bytes())
        _, offsets = forge.read_blocks(self.segment)
        at = offsets[-3] + forge.BLOCK.size + 20
        data[at] ^= 1
        self.segment.write_bytes(data)
        report = self.assert_problem(self.segment, f"offset {offsets[-3]}", "CRC|checksum")
        self.assertGreater(report["heads_unchecked"], 0)

    def test_a_record_is_altered_and_all_checksums_are_made_right(self):
        def alter(blocks):
            time, records = blocks[-1]
            blocks[-1] = (time, records[:-1] + [records[-1].replace(b"anna", b"anne")])
        self.rewrite(alter)
        self.assertEqual(run_cli("", "journal", "verify", self.data).returncode, DONE)  # all that the journal itself can tell
        report = self.assert_problem(self.segment, r"seq \d+ to \d+", "not those that were signed")
        first, last = map(int, re.findall(r"\d+", report["problems"][0]["place"]))
        self.assertTrue(first <= report["last_seq"] == last)

    def test_a_record_is_left_out(self):
        def drop(blocks):
            del blocks[-3]
        self.rewrite(drop)
        report = self.verify()
        texts = [p["text"] for p in report["problems"]]
        self.assertTrue(any("not those that were signed" in text for text in texts) or any("tail" in text for text in texts), texts)
        self.assertTrue(any(f"ends at seq {report['last_seq']}" in text for text in texts), texts)

    def test_two_records_change_places(self):
        def swap(blocks):
            (time, a), (later, b) = blocks[-2], blocks[-1]
            blocks[-2], blocks[-1] = (time, b), (later, a)
        self.rewrite(swap)
        self.assert_problem(self.segment, r"seq \d+ to \d+", "another order")

    def test_a_record_is_put_in(self):
        def insert(blocks):
            blocks.insert(len(blocks) - 2, blocks[-1])
        self.rewrite(insert)
        self.assert_problem(self.segment, r"seq \d+ to \d+", "not those that were signed")

    def test_the_same_records_in_other_blocks(self):
        def join(blocks):
            (time, a), (_, b) = blocks[-2], blocks[-1]
            blocks[-2:] = [(time, a + b)]
        self.rewrite(join)
        self.assert_problem(self.segment, r"seq \d+ to \d+", "not those that were signed|in other blocks")

    def test_the_time_of_a_record_is_altered(self):
        def alter(blocks):
            time, records = blocks[-1]
            blocks[-1] = (time + 1, records)
        self.rewrite(alter)
        self.assert_problem(self.segment, r"seq \d+ to \d+", "not those that were signed")

    def test_the_tail_is_cut_off(self):
        def cut(blocks):
            del blocks[-2:]
        self.rewrite(cut)
        left = len(forge.read_blocks(self.segment)[0])
        self.assertGreater(left, 0)
        report = self.assert_problem(self.data / "journal", r"seq \d+", "tail was cut off")
        self.assertEqual(report["problems"][0]["place"], f"seq {report['last_seq'] + 1}")

    def test_a_segment_is_gone(self):
        self.segment.unlink()
        run_cli("", "audit", "verify", self.data, expect=NOT_FOUND)

    def test_the_directory_is_put_back(self):
        """All of it, with its own witness file: only what lies elsewhere tells."""
        copy = self.folder / "elsewhere"
        shutil.copy(self.witness, copy)
        self.rewrite(lambda blocks: blocks.__delitem__(slice(-TRADES // 2, None)))
        keep = len(forge.read_blocks(self.segment)[0])
        last = sum(len(records) for _, records in forge.read_blocks(self.segment)[0])
        self.write_lines([line for line in self.lines() if "-key-" in line or int(line.split()[3]) <= last])
        self.assertGreater(keep, 0)
        self.verify(expect=DONE)  # consistent, only shorter
        self.assert_problem(self.data / "journal", f"seq {last + 1}", "put back to an earlier state", "--witness", copy)


class HeadAttackTest(AuditCase):
    def test_a_head_is_altered(self):
        lines = self.lines()
        words = lines[-1].split()
        words[3] = str(int(words[3]) - 1)
        self.write_lines(lines[:-1] + [" ".join(words)])
        self.assert_problem(self.witness, f"line {len(lines)}", "forged: the signature")

    def test_a_line_is_no_line(self):
        lines = self.lines()
        self.write_lines([lines[0], lines[1][:-1], *lines[2:]])
        self.assert_problem(self.witness, "line 2", "no line of a witness file")

    def test_a_line_that_a_crash_left_is_no_problem(self):
        text = self.witness.read_text()
        self.witness.write_text(text + text.splitlines()[-1][:100])
        self.verify(expect=DONE)

    def test_the_file_is_gone(self):
        self.witness.unlink()
        self.assert_problem(self.witness, "", "no signed head")

    def foreign(self):
        """Another record of another key, with the same story."""
        other = self.folder / "other"
        other.mkdir()
        return Record(other).data

    def test_a_foreign_key_signs_it_all(self):
        """The forger has a key of his own: he begins the witness file anew and lets the server sign whatever journal there is."""
        self.rewrite(lambda blocks: blocks.__delitem__(-1))
        shutil.rmtree(self.data / "audit")
        server = Server(self.data, settings=SETTINGS)
        self.assertEqual(server.stop(), 0)
        report = self.verify(expect=DONE)  # it agrees with itself …
        self.assertNotEqual(report["keys"], [self.key])
        self.assert_problem(self.witness, "", "foreign key", "--key", self.key)  # … and not with what was noted

    def test_a_head_of_a_foreign_key(self):
        foreign = self.foreign()
        heads = [line for line in (foreign / "audit/witness").read_text().splitlines() if "-head-" in line]
        self.write_lines([*self.lines(), heads[-1]])
        self.assert_problem(self.witness, f"line {len(self.lines())}", "another journal|foreign key")

    def test_the_key_file_is_a_foreign_one(self):
        shutil.copy(self.foreign() / "audit/key.pem", self.data / "audit/key.pem")
        self.assert_problem(self.data / "audit/key.pem", "", "foreign key")
        server = Server(self.data, settings=SETTINGS)  # … and it signs nothing
        counters = json.loads(run_cli(server.address, "status", "--json").stdout)["counters"]
        self.assertIn("audit_failures", [row["name"] for row in counters])
        self.assertEqual(server.stop(), 0)

    def test_the_key_can_be_read_by_others(self):
        (self.data / "audit/key.pem").chmod(0o644)
        self.assert_problem(self.data / "audit/key.pem", "", "others than its owner")


class KeysTest(AuditCase):
    def test_keys_go_on(self):
        listed = json.loads(run_cli("", "audit", "keys", self.data, "--json", expect=DONE).stdout)
        self.assertEqual([key["key"] for key in listed["keys"]], [self.key])
        pem = self.folder / "audit.pem"
        pem.write_text(listed["pem"])
        run_cli("", "audit", "keys", self.data, "--rotate", expect=DONE)
        self.assertEqual((self.data / "audit/key.pem").stat().st_mode & 0o777, 0o600)
        server = Server(self.data, settings=SETTINGS)
        self.record.trade(server, 77)
        self.assertEqual(run_cli("", "audit", "keys", self.data, "--rotate").returncode, REFUSED)  # the server has the directory
        self.verify("--key", pem, expect=DONE)  # beside a running server
        self.assertEqual(server.stop(), 0)
        report = self.verify("--key", pem, expect=DONE)
        self.assertEqual(len(report["keys"]), 2)
        self.assertEqual(report["signed_seq"], report["last_seq"])
        self.verify("--key", report["keys"][1], expect=DONE)
        run_cli("", "audit", "verify", self.data, "--key", "0123", expect=USAGE)

    def test_the_old_key_signs_nothing_any_more(self):
        old = (self.data / "audit/key.pem").read_bytes()
        head = self.lines()[-1]
        run_cli("", "audit", "keys", self.data, "--rotate", expect=DONE)
        self.write_lines([*self.lines(), head])
        self.assert_problem(self.witness, f"line {len(self.lines())}", "foreign key")
        (self.data / "audit/key.pem").write_bytes(old)
        self.assert_problem(self.data / "audit/key.pem", "", "foreign key")


class ProofTest(AuditCase):
    def prove(self, trade_id, *args):
        path = self.folder / "proof.json"
        run_cli("", "audit", "prove", trade_id, self.data, "--out", path, *args, expect=DONE)
        return json.loads(path.read_text())

    def both(self, proof, key=None):
        """What both programs say of it, which must be the same; Python's also with its own Ed25519."""
        path = self.folder / "checked.json"
        path.write_text(json.dumps(proof))
        ours = run_cli("", "audit", "check", path, *(["--key", key] if key else [])).returncode
        done = subprocess.run([sys.executable, ROOT / "tools/verify_proof.py", path, *(["--key", key] if key else [])], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(ours, done.returncode, (done.stdout, done.stderr))
        return ours

    def test_each_trade_is_proven(self):
        for number in range(TRADES):
            proof = self.prove(f"t{number}", "--source", "oms")
            self.assertEqual(self.both(proof, self.key), DONE)
        run_cli("", "audit", "prove", "nothing", self.data, expect=NOT_FOUND)
        run_cli("", "audit", "prove", "t1", self.data, "--source", "nobody", expect=NOT_FOUND)

    def test_all_versions_of_a_trade_and_an_earlier_head(self):
        size = int(self.lines()[-1].split()[3])
        server = Server(self.data, settings=SETTINGS)
        self.record.trade(server, 3, "--action", "AMEND", "--version", "2")
        self.assertEqual(server.stop(), 0)
        proof = self.prove("t3", "--since", size)
        self.assertEqual(len(proof["records"]), 2)
        self.assertEqual(self.both(proof, self.key), DONE)
        proof["consistency"][0] = "00" * 32
        self.assertEqual(self.both(proof, self.key), DAMAGED)
        run_cli("", "audit", "prove", "t3", self.data, "--since", size + 100, expect=NOT_FOUND)
        run_cli("", "audit", "keys", self.data, "--rotate", expect=DONE)
        server = Server(self.data, settings=SETTINGS)
        self.record.trade(server, 90)
        self.assertEqual(server.stop(), 0)
        proof = self.prove("t90")
        self.assertEqual(len(proof["keys"]), 2)
        self.assertEqual(self.both(proof, self.key), DONE)
        self.assertEqual(self.both({**proof, "keys": proof["keys"][::-1]}, self.key), DAMAGED)

    def test_every_change_of_a_proof_is_seen(self):
        proof = self.prove("t5")
        self.assertEqual(self.both(proof, self.key), DONE)
        record = proof["records"][0]
        leaf = record["leaf"]

        def with_record(**change):
            return {**proof, "records": [{**record, **change}]}

        changed = [{**proof, "trade_id": "t6"}, {**proof, "source": "other"}, {**proof, "records": []}, {**proof, "keys": []},
                   with_record(seq=record["seq"] + 1), with_record(path=record["path"][1:]), with_record(path=record["path"] + record["path"][:1]),
                   with_record(path=record["path"][::-1]), with_record(leaf=leaf[:-2]), with_record(leaf=leaf + "00")]
        for at in range(0, len(leaf), 9):
            changed.append(with_record(leaf=leaf[:at] + ("0" if leaf[at] != "0" else "1") + leaf[at + 1:]))
        words = proof["head"].split(" ")
        for place in (1, 2, 3, 4, 6, 7, 8):
            other = {1: "tables", 3: str(int(words[3]) + 1), 6: words[6] + "0"}.get(place, words[place][::-1])
            changed.append({**proof, "head": " ".join(words[:place] + [other] + words[place + 1:])})
        for one in changed:
            self.assertEqual(self.both(one), DAMAGED, one)
        self.assertEqual(self.both(proof, "ab" * 32), DAMAGED)
        for one in ({}, {**proof, "halocline_proof": 2}, with_record(leaf="zz"), with_record(path=["ab"]), {**proof, "records": 7}):
            self.assertNotEqual(self.both_refuse(one), DONE)

    def both_refuse(self, proof):
        """What is no proof file is refused by both, each in its way."""
        path = self.folder / "checked.json"
        path.write_text(json.dumps(proof))
        done = subprocess.run([sys.executable, ROOT / "tools/verify_proof.py", path], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, DONE, done.stdout)
        self.assertNotIn("Traceback", done.stderr)
        return run_cli("", "audit", "check", path).returncode

    def test_python_without_a_library_says_the_same(self):
        proof = self.prove("t5")
        library, verify_proof.Ed25519PublicKey = verify_proof.Ed25519PublicKey, None
        try:
            self.assertEqual(verify_proof.check(proof, self.key), [])
            word = proof["head"].rpartition(" ")[2]
            flipped = ("0" if word[0] != "0" else "1") + word[1:]
            self.assertNotEqual(verify_proof.check({**proof, "head": proof["head"].replace(word, flipped)}), [])
        finally:
            verify_proof.Ed25519PublicKey = library

    def test_a_trade_that_is_not_signed_yet(self):
        lines = self.lines()
        heads = [line for line in lines if "-head-" in line]
        self.write_lines([lines[0], heads[0]])
        done = run_cli("", "audit", "prove", "t5", self.data, expect=NOT_FOUND)
        self.assertIn("newer than the newest signed head", done.stderr)

    def test_an_altered_journal_proves_nothing(self):
        self.rewrite(lambda blocks: blocks.__setitem__(-1, (blocks[-1][0] + 1, blocks[-1][1])))
        self.assertEqual(run_cli("", "audit", "prove", "t5", self.data).returncode, DAMAGED)


if __name__ == "__main__":
    unittest.main()
