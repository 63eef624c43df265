"""FIX engines that are not ours against the real server: simplefix and QuickFIX/J, FIX 4.2 and 4.4, with and without TLS, every message
type of docs/fix.md. What QuickFIX/J sends and receives is checked by its own data dictionaries: an answer of ours that is not standard
FIX is refused there and fails here.
"""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from gateway import Gateway, floor, make_certificate, session, trusting  # noqa: E402
from messages import CANCEL, CORRECT, capture, execution, incremental, snapshot  # noqa: E402
from parties import QuickFixJ, SimpleFix  # noqa: E402

RUNS = [(engine, version, tls) for engine in ("simplefix", "quickfixj") for version in ("4.2", "4.4") for tls in (False, True)]
ID = {run: f"{run[0]}-{run[1]}{'-tls' if run[2] else ''}" for run in RUNS}
parties = {}


def setUpModule():
    global directory, gateway, quickfixj
    directory = tempfile.TemporaryDirectory(prefix="halocline-fix-")
    certificate = make_certificate(directory.name)
    gateway = Gateway(directory.name, "".join(session(ID[run], run[1]) for run in RUNS), tls=certificate,
                      reference=floor(f"{comp_id}{more}" for comp_id in ID.values() for more in ("", ".other", ".resumed")))
    address = {False: gateway.fix_address, True: gateway.fix_tls_address}
    trust = trusting(certificate[0])
    for run in RUNS:
        if run[0] == "simplefix":
            parties[run] = SimpleFix(address[run[2]], ID[run], run[1], directory.name, trust if run[2] else None)
    java = [run for run in RUNS if run[0] == "quickfixj"]
    quickfixj = QuickFixJ([(ID[run], run[1], address[run[2]], certificate[0] if run[2] else None) for run in java], directory.name)
    parties.update({run: quickfixj.parties[ID[run]] for run in java})


def tearDownModule():
    for party in parties.values():
        party.stop()
    quickfixj.stop()
    gateway.end()
    directory.cleanup()


class Conversation:
    """What every counterparty of every version does. Each has books of its own; ids need be new in its session only."""

    def setUp(self):
        _, self.version, _ = self.run_key
        self.party, self.book, self.other_book = parties[self.run_key], ID[self.run_key], ID[self.run_key] + ".other"
        self.before = len(self.party.answers)

    def tearDown(self):
        self.assertEqual(getattr(self.party, "refused", []), [], "an answer of ours is not standard FIX to QuickFIX/J")

    def answers(self):
        return self.party.answers[self.before:]

    def wait_for_answers(self, count):
        self.party.wait_for(f"{count} answers", lambda: len(self.answers()) >= count)
        self.party.settled()
        self.assertEqual(len(self.answers()), count, self.answers())

    def position(self, symbol, book=None):
        return gateway.position(f"book:{book or self.book}", symbol)

    def report(self, exec_id, **more):
        self.party.send(execution(self.version, exec_id, more.pop("book", self.book), **more))

    def test_executions_corrections_and_cancels(self):
        self.report("e-1", symbol="MSFT", quantity=100, partial=True)
        self.report("e-2", symbol="MSFT", quantity=50)
        self.report("e-3", symbol="MSFT", quantity=40, kind=CORRECT, ref="e-2")
        self.report("e-4", symbol="MSFT", quantity=45, kind=CORRECT, ref="e-3")  # names the link before
        self.report("e-5", symbol="MSFT", quantity=70, side="sell")
        self.report("e-6", symbol="MSFT", quantity=70, side="sell", kind=CANCEL, ref="e-5")
        self.report("e-9", symbol="MSFT", quantity=31, kind=CORRECT, ref="e-8")  # comes before its trade
        self.report("e-8", symbol="MSFT", quantity=30)
        self.party.settled()
        self.assertEqual(self.position("MSFT"), ("176", 3))
        self.assertEqual(self.answers(), [])

    def test_a_report_again_changes_nothing(self):
        report = execution(self.version, "again", self.other_book, symbol="MSFT")
        self.party.send(report)
        self.party.send(report)
        self.party.settled()
        self.assertEqual(self.position("MSFT", self.other_book), ("100", 1))
        self.assertEqual(self.answers(), [])

    def test_reports_that_are_no_trade_are_ignored(self):
        before = self.position("SAP")
        for number, kind in enumerate("0456"):  # new, cancelled, replaced, pending cancel
            report = execution(self.version, f"i-{number}", self.book, symbol="SAP")
            self.party.send([(tag, kind if tag == 150 else value) for tag, value in report])
        self.party.settled()
        self.assertEqual(self.position("SAP"), before)
        self.assertEqual(self.answers(), [])

    def test_executions_that_cannot_be_booked_are_rejected(self):
        before = self.position("SAP")
        self.report("x-1", book="nowhere", symbol="SAP")
        self.report("x-2", symbol="NOTHING")
        self.party.send([pair for pair in execution(self.version, "x-3", self.book, symbol="SAP") if pair[0] != 31])
        self.wait_for_answers(3)
        told = sorted((answer[35], answer.get(372), answer.get(379), answer.get(380)) for answer in self.answers())
        self.assertEqual(told, [("j", "8", "x-1", "1"), ("j", "8", "x-2", "2"), ("j", "8", "x-3", "5")])
        words = {answer.get(379): answer.get(58, "") for answer in self.answers()}
        self.assertRegex(words["x-1"], r"nowhere.*\b1\b")
        self.assertRegex(words["x-2"], r"NOTHING.*\b55\b")
        self.assertRegex(words["x-3"], r"\b31\b")
        self.assertEqual(self.position("SAP"), before)

    def test_market_data_are_prices(self):
        self.report("m-1", symbol="SAP", quantity=10)
        for build, price in ((snapshot, "101.25"), (incremental, "99.5")):
            self.party.send(build("SAP", price))
            self.party.settled()
            self.assertEqual(gateway.positions(f"book:{self.book}", "SAP")[0]["mark"], price)
        self.assertEqual(self.answers(), [])
        self.party.send(snapshot("NOTHING", "5"))
        self.wait_for_answers(1)
        answer = self.answers()[0]
        self.assertEqual((answer[35], answer.get(372), answer.get(380)), ("j", "W", "2"))

    def test_a_message_we_have_no_use_for_is_rejected(self):
        self.party.send([(35, "D"), (11, "c1"), (21, 1), (55, "AAPL"), (54, 1), (60, "20260102-03:04:05"), (38, 100), (40, 1)])
        self.wait_for_answers(1)
        answer = self.answers()[0]
        self.assertEqual((answer[35], answer.get(372), answer.get(380)), ("j", "D", "3"))


class Captures:
    """What counterparties of 4.4 do as well: 4.2 has no trade captures."""

    def test_trade_captures_are_acknowledged(self):
        two_sides = dict(other_side=(self.other_book, "boris"), quantity=30)
        self.party.send(capture("t-1", self.book))
        self.party.send(capture("t-2", self.book, **two_sides))
        self.party.send(capture("t-3", self.book, kind=CORRECT, ref="t-1", quantity=110))
        self.wait_for_answers(3)
        self.assertEqual(self.position("AAPL"), ("140", 2))
        self.assertEqual(self.position("AAPL", self.other_book), ("-30", 1))
        self.party.send(capture("t-4", self.book, kind=CANCEL, ref="t-2", **two_sides))
        self.wait_for_answers(4)
        self.assertEqual(self.position("AAPL"), ("110", 1))
        self.assertEqual(self.position("AAPL", self.other_book), ("0", 0))
        for number, (answer, kind) in enumerate(zip(self.answers(), (0, 0, 2, 1)), 1):
            told = {tag: answer.get(tag) for tag in (35, 571, 150, 487, 939, 55)}
            self.assertEqual(told, {35: "AR", 571: f"t-{number}", 150: "F", 487: str(kind), 939: "0", 55: "AAPL"}, answer)
        self.assertEqual([answer.get(572) for answer in self.answers()], [None, None, "t-1", "t-2"])

    def test_a_trade_capture_again_is_known(self):
        report = capture("again-ae", self.other_book, symbol="SAP")
        self.party.send(report)
        self.party.send(report)
        self.wait_for_answers(2)
        self.assertEqual([answer.get(939) for answer in self.answers()], ["0", "0"])
        self.assertIn("DUPLICATE", self.answers()[1].get(58, ""))
        self.assertEqual(self.position("SAP", self.other_book), ("100", 1))

    def test_trade_captures_that_cannot_be_booked_are_rejected(self):
        before = self.position("SAP")
        self.party.send(capture("r-1", "nowhere", symbol="SAP"))
        self.party.send(capture("r-2", self.book, symbol="NOTHING"))
        self.party.send(capture("r-3", self.book, symbol="SAP", trader="nobody"))
        self.party.send(capture("r-4", self.book, symbol="SAP", quantity=0))
        self.wait_for_answers(4)
        told = [(answer[571], answer.get(939), answer.get(751)) for answer in sorted(self.answers(), key=lambda answer: answer[571])]
        self.assertEqual(told, [("r-1", "1", "1"), ("r-2", "1", "2"), ("r-3", "1", "1"), ("r-4", "1", "99")])
        text = {answer[571]: answer.get(58, "") for answer in self.answers()}
        for report_id, words in (("r-1", ("UNKNOWN_BOOK", "nowhere")), ("r-2", ("UNKNOWN_INSTRUMENT", "NOTHING")),
                                 ("r-3", ("UNKNOWN_TRADER", "nobody")), ("r-4", ("INVALID_QUANTITY",))):
            for word in words:
                self.assertIn(word, text[report_id])
        self.assertEqual(self.position("SAP"), before)


for run_key in RUNS:
    bases = (Conversation, Captures) if run_key[1] == "4.4" else (Conversation,)
    name = "Test_" + ID[run_key].replace("-", "_").replace(".", "")
    globals()[name] = type(name, (*bases, unittest.TestCase), {"run_key": run_key, "maxDiff": None})


class ResumeTest(unittest.TestCase):
    def everywhere(self, name):
        """One report more in every session."""
        for run, party in parties.items():
            party.send(execution(run[1], name, ID[run] + ".resumed", quantity=7))
        for party in parties.values():
            party.settled()

    @staticmethod
    def logons(run):
        return parties[run].session.logons if run[0] == "simplefix" else parties[run].logons

    def test_sessions_resume_after_a_break_and_a_crash(self):
        self.everywhere("c-1")
        for party in parties.values():
            party.relogon()
        self.everywhere("c-2")
        logons = {run: self.logons(run) for run in RUNS}
        gateway.kill()
        gateway.start()
        for run, party in parties.items():
            party.wait_for("logon after the crash", lambda run=run: self.logons(run) > logons[run])
        self.everywhere("c-3")
        for run in RUNS:
            self.assertEqual(gateway.position(f"book:{ID[run]}.resumed"), ("21", 3), run)


if __name__ == "__main__":
    unittest.main()
