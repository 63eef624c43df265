"""`halocline fix …` with the real binary and a real server: what a message becomes, a log fed in, sessions listed and reset."""
import json
import pathlib
import subprocess
import tempfile
import unittest

import cli_test
from cli_test import DONE, FLOOR, NOT_FOUND, REFUSED, USAGE

SESSIONS = """
[fix]
listen = "127.0.0.1:0"
[[fix.session]]
name = "oms"
their_comp_id = "OMS"
unknown_instrument = "park"
[[fix.session]]
their_comp_id = "OLD"
begin_string = "FIX.4.2"
counterparty = "76"
"""


def message(kind, body, sender="OMS", begin="FIX.4.4", separator="|"):
    text = f"8={begin}|9=1|35={kind}|34=2|49={sender}|56=HALOCLINE|52=20261124-10:42:13|{body}|10=000|"
    return text.replace("|", separator)


def execution(exec_id, more="1=b1|55=AAPL|54=1|32=100|31=10.5", kind="150=F", **header):
    parties = "453=2|448=anna|447=D|452=12|448=cp|447=D|452=17"
    return message("8", f"17={exec_id}|{kind}|{more}|60=20261124-10:42:12.5|{parties}", **header)


class FixCliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.dir = pathlib.Path(cls.temp.name)
        cls.config = cls.dir / "halocline.toml"
        cls.config.write_text(SESSIONS)
        cls.server = cli_test.Server(cls.dir / "data", more=("--config", cls.config))
        (cls.dir / "floor.toml").write_text(FLOOR)
        cls.run_cli("ref", "load", cls.dir / "floor.toml", expect=DONE)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.temp.cleanup()
        assert code == 0, f"the server ended with {code}\n{cls.server.said[-4000:]}"

    @classmethod
    def run_cli(cls, *args, **more):
        return cli_test.run_cli(cls.server.address, *args, **more)

    def file(self, name, *lines):
        path = self.dir / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def map(self, *lines, expect=DONE, more=()):
        path = self.file("message.fix", *lines)
        done = self.run_cli("fix", "map", "--message", path, "--config", self.config, "--json", *more, expect=expect)
        return [json.loads(line) for line in done.stdout.splitlines()]

    # map ---------------------------------------------------------------------------------------------------------------

    def test_map_shows_each_field_and_where_it_stood(self):
        path = self.file("one.fix", "10:42:13 in  " + execution("E1"))
        said = self.run_cli("fix", "map", "--message", path, "--config", self.config, expect=DONE).stdout
        self.assertTrue(said.startswith("line 1, MsgType 8 by the rules of oms: taken\n"), said)
        self.assertRegex(said, r"\n +trader +anna  \(party:12\)\n")
        self.assertRegex(said, r"\n +side +BUY  \(tag 54 = 1\)\n")
        [mapped] = self.map(execution("E1", separator="\x01"))
        self.assertEqual(mapped["fate"], "taken")
        self.assertIn({"command": 0, "field": "source", "value": "oms", "from": "the session's"}, mapped["fields"])
        self.assertIn({"command": 0, "field": "trade_time", "value": "20261124-10:42:12.5", "from": "tag 60"}, mapped["fields"])

    def test_map_shows_how_a_message_would_be_answered(self):
        rows = self.map(execution("E1", "1=b1|55=AAPL|54=1|32=ten|31=1"), execution("E1", "55=AAPL|54=1|32=1|31=1"),
                        message("AE", "571=R1|487=9|55=AAPL"), execution("E1", kind="150=0"), message("0", "112=x"), expect=REFUSED)
        self.assertEqual([row["fate"] for row in rows], ["malformed", "refused", "refused", "ignored", "admin"])
        self.assertEqual([row["answer"] for row in rows[:4]], ["3", "j", "AR", ""])
        self.assertIn("tag 32", rows[0]["text"])
        self.assertIn("no book", rows[1]["text"])

    def test_map_takes_the_rules_of_the_session_named_or_of_the_comp_ids(self):
        old = message("8", "17=E9|20=0|150=2|1=b1|55=AAPL|54=1|32=1|31=1|50=anna|76=cp", sender="OLD", begin="FIX.4.2")
        self.assertEqual(self.map(old)[0]["session"], "OLD")
        self.assertEqual(self.map(execution("E1"), more=("--session", "OLD"), expect=REFUSED)[0]["session"], "OLD")
        path = self.file("stranger.fix", execution("E1", sender="STRANGER"))
        stranger = self.run_cli("fix", "map", "--message", path, "--config", self.config, expect=USAGE)
        self.assertIn("comp ids", stranger.stderr)
        self.assertIn("taken", self.run_cli("fix", "map", "--message", path, expect=DONE).stdout, "without sessions: by default rules")

    def test_map_says_what_is_wrong_with_the_file(self):
        cases = [(("--message", self.dir / "none"), "cannot open"), (("--message", self.config), "no FIX message"),
                 (("--message", self.file("half.fix", "8=FIX.4.4|9=5|35")), "line 1"),
                 (("--message", self.file("ok.fix", execution("E1")), "--config", self.config, "--session", "xyz"), "xyz")]
        for args, words in cases:
            self.assertIn(words, self.run_cli("fix", "map", *args, expect=USAGE).stderr)

    # replay ------------------------------------------------------------------------------------------------------------

    def test_replay_feeds_a_log_and_twice_changes_nothing(self):
        log = self.file("day.log", "20261124-10:42:13 : " + message("A", "98=0|108=30"), "a line of something else",
                        execution("L1") + " trailing words", execution("L2", separator="\x01"), execution("L1", kind="150=0"),
                        execution("L3", "1=b1|55=AAPL|54=1|32=7|31=10.5", kind="150=G|19=L2"),
                        message("W", "55=AAPL|268=1|269=2|270=11"), execution("L4", "1=b1|55=LATER|54=1|32=1|31=1"))
        first = json.loads(self.run_cli("fix", "replay", log, "--config", self.config, "--json", expect=DONE).stdout)
        self.assertEqual(first["outcomes"], {"ACCEPTED": 4, "PARKED": 1})
        self.assertEqual(first["passed_over"], {"admin messages": 1, "ignored by rule": 1, "lines without a message": 1})

        def books():
            return json.loads(self.run_cli("positions", "book:b1", "--json", expect=DONE).stdout)["positions"]
        before = books()
        self.assertEqual([(row["instrument"], row["quantity"]) for row in before], [("AAPL", "107")])
        again = json.loads(self.run_cli("fix", "replay", log, "--config", self.config, "--speed", "real", "--json", expect=DONE).stdout)
        self.assertEqual(again["outcomes"]["DUPLICATE"], 3)
        self.assertEqual(books(), before)
        said = self.run_cli("fix", "sessions", expect=DONE).stdout
        self.assertIn("waiting for their instrument: 1 trade reports (LATER 1)", said)

    def test_replay_names_the_line_and_the_reason(self):
        log = self.file("bad.log", execution("B1", "1=nobook|55=AAPL|54=1|32=1|31=1"), "8=FIX.4.4|9=5|35", message("V", "262=x"),
                        execution("B2", "1=b1|55=AAPL|54=1|32=ten|31=1"))
        done = self.run_cli("fix", "replay", log, "--config", self.config, expect=REFUSED)
        for words in ("line 1: UNKNOWN_BOOK", "line 2: NO_MESSAGE", "line 3: REFUSED", "line 4: MALFORMED: tag 32 "):
            self.assertIn(words, done.stderr)
        self.assertIn("no FIX message", self.run_cli("fix", "replay", self.config, expect=USAGE).stderr)
        self.assertIn("cannot open", self.run_cli("fix", "replay", self.dir / "none", expect=USAGE).stderr)

    # sessions ----------------------------------------------------------------------------------------------------------

    def test_sessions_and_their_reset(self):
        sessions = json.loads(self.run_cli("fix", "sessions", "--json", expect=DONE).stdout)["sessions"]
        self.assertEqual([(one["name"], one["state"], one["next_in"]) for one in sessions],
                         [("oms", "disconnected", 1), ("OLD", "disconnected", 1)])
        self.assertRegex(self.run_cli("fix", "sessions", expect=DONE).stdout, r"\noms +disconnected +1 ")
        self.assertIn("begins at 1", self.run_cli("fix", "reset", "oms", expect=DONE).stdout)
        self.assertIn("fix sessions", self.run_cli("fix", "reset", "xyz", expect=NOT_FOUND).stderr)

    def test_a_server_without_fix_says_so(self):
        server = cli_test.Server(self.dir / "plain")
        try:
            self.assertIn("FIX", self.run_cli("fix", "sessions", server=server.address, expect=NOT_FOUND).stderr)
        finally:
            self.assertEqual(server.stop(), 0)

    def test_what_is_wrong_with_the_configuration_is_said_with_its_line(self):
        cases = [('[fix]\nlisten = "0.0.0.0:7120"\n', "TLS"), ('[fix]\nlisten = "127.0.0.1:0"\n', "nobody could log on"),
                 ('[fix]\nlisten = "127.0.0.1:0"\n[[fix.session]]\ntheir_comp = "A"\n', "did you mean their_comp_id"),
                 ('[fix]\nlisten = "127.0.0.1:0"\n[[fix.session]]\ntheir_comp_id = "A"\nschedule = "7-8"\n', "07:00:00-18:30:00"),
                 ('[fix]\nlisten = "127.0.0.1:0"\n[[fix.session]]\ntheir_comp_id = "A"\nbook = "party:"\n', "is no place")]
        for text, words in cases:
            path = self.file("wrong.toml", text)
            done = subprocess.run([cli_test.binary(), "serve", "--config", path], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, USAGE, text)
            self.assertRegex(done.stderr, r"wrong\.toml:\d")
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
