#!/usr/bin/env python3
"""The demo floor's order system: two FIX sessions over simplefix, an implementation that is not ours.

    order_system.py HOST:PORT DIRECTORY

FLOOR-EXEC speaks FIX 4.2 and sends ExecutionReports, a drop copy without answers; FLOOR-CAPTURE speaks FIX 4.4 and sends TradeCaptureReports,
each answered by an acknowledgement. The numbers of both are kept in DIRECTORY, so that the next run goes on. `floor` (main.cc) starts
it. On stdin, tab-separated, a trade a line:

    token session(0 executions, 1 captures) version action(1 new, 2 amend, 3 cancel) id book trader counterparty instrument side(1, 2)
    quantity price fees

On stdout: `ready`; `sent TOKEN NS` for a message that leaves (CLOCK_MONOTONIC, before it is encoded); `answer TOKEN NS TEXT` for an
acknowledgement (no TEXT: accepted) or a refusal. At the end of stdin everything is settled: each capture is answered, and each session has had a Heartbeat for a
TestRequest after its last message; then `settled MESSAGES RESENT LOGONS`, Logout, exit 0.
"""
import collections
import pathlib
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/fix"))
from messages import utc  # noqa: E402
from session import Session, text  # noqa: E402

EXECUTIONS, CAPTURES = 0, 1
KEPT = 20_000  # messages of a session that can be sent again: many more than can be on their way
KIND = {1: ("0", "F"), 2: ("2", "G"), 3: ("1", "H")}  # action -> ExecTransType and TradeReportTransType alike, ExecType


def link_id(trade_id, version):
    """The chain of a trade: its first report has the trade's id, each later one names it."""
    return trade_id if version == 1 else f"{trade_id}.{version}"


def execution(version, action, trade_id, book, trader, counterparty, instrument, side, quantity, price, fees):
    fields = [(50, trader), (37, trade_id), (17, link_id(trade_id, version)), (20, KIND[action][0]), (150, "2"), (39, "2"), (1, book)]
    if version > 1:
        fields.append((19, trade_id))
    fields += [(55, instrument), (54, side), (38, quantity), (76, counterparty), (32, quantity), (31, price), (151, 0), (14, quantity),
               (6, price), (12, fees), (13, "3"), (60, TIME)]
    return fields


def capture(version, action, trade_id, book, trader, counterparty, instrument, side, quantity, price, fees):
    fields = [(571, link_id(trade_id, version)), (487, KIND[action][0])]
    if version > 1:
        fields.append((572, trade_id))
    fields += [(570, "N"), (55, instrument), (32, quantity), (31, price), (75, TIME[:8]), (60, TIME), (552, 1), (54, side), (37, trade_id),
               (453, 2), (448, trader), (447, "D"), (452, 12), (448, counterparty), (447, "D"), (452, 17), (1, book), (12, fees), (13, "3")]
    return fields


# A trade sent again must be the same trade, so its time is the run's, not the moment's.
TIME = utc()


class OrderSystem:
    def __init__(self, address, directory):
        self.output, self.state = threading.Lock(), threading.Lock()
        self.tokens = {}                # MsgSeqNum of an execution -> token
        self.waiting = collections.defaultdict(collections.deque)  # TradeReportID -> tokens not yet answered, in order
        self.unanswered = self.messages = 0
        self.sessions = [Session(address, name, "HALOCLINE", begin, store=f"{directory}/{name}.session", keep=KEPT, on_message=self.answered)
                         for name, begin in (("FLOOR-EXEC", "FIX.4.2"), ("FLOOR-CAPTURE", "FIX.4.4"))]
        for session in self.sessions:
            session.start().wait_logged_on()

    def say(self, line):
        with self.output:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def trade(self, line):
        token, session, version, action, *rest = line.split("\t")
        session = int(session)
        fields = (execution if session == EXECUTIONS else capture)(int(version), int(action), *rest)
        with self.state:  # its answer is not looked at before its token is known
            at = time.monotonic_ns()
            number = self.sessions[session].send("8" if session == EXECUTIONS else "AE", fields)
            self.messages += 1
            if session == EXECUTIONS:
                self.tokens[number] = token
                self.tokens.pop(number - KEPT, None)
            else:
                self.waiting[fields[0][1]].append(token)
                self.unanswered += 1
        self.say(f"sent {token} {at}")

    def answered(self, message):
        at = time.monotonic_ns()
        with self.state:
            if text(message, 35) == "AR":
                waiting = self.waiting.get(text(message, 571))
                token = waiting.popleft() if waiting else None
                self.unanswered -= token is not None
            else:
                token = self.tokens.get(int(text(message, 45) or 0))
        if token is None:  # to a message of a run that was cut off before this one
            return
        self.say(f"answer {token} {at} {text(message, 58) or ''}")

    def settle(self):
        self.sessions[CAPTURES].wait_for("every acknowledgement", lambda: self.unanswered == 0)
        for session in self.sessions:
            session.test("settled")
            session.wait_for_test("settled")
        self.say(f"settled {self.messages} {sum(s.resent for s in self.sessions)} {sum(s.logons for s in self.sessions)}")
        for session in self.sessions:
            session.stop()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the floor, and the floor ends us
    host, _, port = sys.argv[1].rpartition(":")
    orders = OrderSystem((host, int(port)), pathlib.Path(sys.argv[2]))
    orders.say("ready")
    for line in sys.stdin:
        orders.trade(line.rstrip("\n"))
    orders.settle()


if __name__ == "__main__":
    main()
