"""A day of FIX messages makes the same books whichever way it comes: as a log through `halocline fix replay`, over a FIX session, and as the
same trades over gRPC.

  replay_test.py --messages 1000000 [--seed N]

The day has executions, corrections and cancels of 4.4 and trade captures, and between them what a log has besides: heartbeats, orders'
new and cancelled states, lines that are no message. The digest of trades and positions must be the same three times, and the same again
after the log was fed in twice.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cases import Link  # noqa: E402
from gateway import SERVER_ID, Gateway, floor, session  # noqa: E402
from messages import CANCEL, CORRECT, NEW, capture, execution  # noqa: E402
from recompute import check  # noqa: E402
from server import TOOLS  # noqa: E402

SENDER, TIME, ISO_TIME = "OMS", "20260102-09:30:00.000", "2026-01-02T09:30:00Z"
BOOKS, COLUMNS = ("b1", "b2", "b3"), "source,trade_id,version,action,book,trader,counterparty,instrument,side,quantity,price,fees,trade_time"
WORDS = {NEW: "NEW", CORRECT: "AMEND", CANCEL: "CANCEL"}
RECENT = 5_000
AT_ONCE, MOST_UNREAD = 500, 4_000  # messages; answers


def framed(kind, number, fields):
    inner = f"35={kind}\x0149={SENDER}\x0156={SERVER_ID}\x0134={number}\x0152={TIME}\x01" + "".join(f"{t}={v}\x01" for t, v in fields)
    whole = f"8=FIX.4.4\x019={len(inner)}\x01{inner}"
    return f"{whole}10={sum(whole.encode()) % 256:03d}\x01"


class Day:
    """Writes the log and, for the same trades, the rows of `halocline trade --csv`."""

    def __init__(self, directory, messages, seed):
        self.random, self.number = random.Random(seed), 1
        self.log, self.csv = directory / "day.log", directory / "day.csv"
        self.recent = []  # [root, last id, links, captured] of trades that may be corrected
        with open(self.log, "w", encoding="ascii") as self.messages, open(self.csv, "w", encoding="ascii") as self.rows:
            self.rows.write(COLUMNS + "\n")
            self.line(framed("A", 1, [(98, 0), (108, 30)]))
            for at in range(messages):
                self.trade(at)
                if self.random.random() < 0.02:
                    self.write("0", [])
                if self.random.random() < 0.05:
                    state = execution("4.4", f"o{at}", time=TIME)
                    self.write("8", [(tag, self.random.choice("04") if tag == 150 else value) for tag, value in state[1:]])
                if self.random.random() < 0.001:
                    self.messages.write("20260102-09:30:00.000 : session OMS is busy\n")

    def line(self, text):
        self.messages.write(f"{TIME} : {text}\n")

    def write(self, kind, fields):
        self.number += 1
        self.line(framed(kind, self.number, fields))

    def trade(self, at):
        what = self.random.random()
        if what < 0.85 or not self.recent:
            chain, kind, ref = [f"e{at}", f"e{at}", 1, what < 0.3], NEW, None
            if len(self.recent) < RECENT:
                self.recent.append(chain)
            else:
                self.recent[self.random.randrange(RECENT)] = chain
        else:
            place = self.random.randrange(len(self.recent))
            chain = self.recent[place]
            kind, ref = (CANCEL if what > 0.96 else CORRECT), self.random.choice(chain[:2])
            chain[1], chain[2] = f"{chain[0]}.{chain[2]}", chain[2] + 1
            if kind == CANCEL:
                self.recent.pop(place)
        root, one, version, captured = chain
        # A chain stays with its book, as a correction of an order system's does; all else may change.
        values = dict(book=BOOKS[hash_of(root) % len(BOOKS)], side=self.random.choice(("buy", "sell")), quantity=self.random.randrange(1, 1000),
                      price=f"{self.random.randrange(5_000, 20_000) / 100:.2f}", symbol=self.random.choice(("AAPL", "MSFT", "SAP")),
                      trader=self.random.choice(("anna", "boris")), counterparty=self.random.choice(("street", "bank")))
        values["time"] = TIME
        fields = capture(one, kind=kind, ref=ref, **values) if captured else execution("4.4", one, kind=kind, ref=ref, **values)
        self.write(fields[0][1], fields[1:])
        self.rows.write(f"{SENDER},{root},{version},{WORDS[kind]},{values['book']},{values['trader']},{values['counterparty']},{values['symbol']},"
                        f"{values['side'].upper()},{values['quantity']},{values['price']},0,{ISO_TIME}\n")


def hash_of(root):
    return int(root[1:])


def send_day(link, day, unread):
    """Not faster than the answers are read: a counterparty who leaves too many of them is cut (docs/fix.md)."""
    messages = [line.split(" : ", 1)[1].rstrip("\n") for line in day.log.open(encoding="ascii") if "8=FIX" in line]
    messages.append(framed("1", day.number + 1, [(112, "done")]))
    for at in range(0, len(messages), AT_ONCE):
        piece = "".join(messages[at:at + AT_ONCE])
        for _ in range(piece.count("\x0135=AE\x01")):
            unread.acquire()
        link.socket.sendall(piece.encode())


def over_fix(gateway, day):
    """All of the log's messages on one connection; what is answered is read meanwhile."""
    link, unread, answers = Link(gateway.fix_address), threading.Semaphore(MOST_UNREAD), 0
    writer = threading.Thread(target=send_day, args=(link, day, unread), daemon=True)
    writer.start()
    while (message := link.receive()) is not None and ("112", "done") not in message:
        if ("35", "AR") in message:
            answers += 1
            unread.release()
        check(("35", "AR") not in message or ("939", "0") in message, f"not accepted: {message}")
        check(("35", "j") not in message and ("35", "3") not in message, f"refused: {message}")
    check(message is not None, "the connection ended")
    writer.join()
    link.close()
    return answers


def trades_digest(gateway):
    gateway.stop()
    out = subprocess.run([TOOLS / "journal_dump", "--digest", gateway.data / "journal"], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)["trades"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = time.time_ns() // 1000 % 10**9
    print(f"replay test, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="halocline-replay-") as name:
        directory = pathlib.Path(name)
        day = Day(directory, options.messages, options.seed)
        digests, seconds = {}, {}
        for way in ("log", "session", "grpc"):
            (directory / way).mkdir()
            gateway = Gateway(directory / way, session(SENDER, "4.4", "clock_skew_seconds = 0"), reference=floor(BOOKS),
                              settings={"journal.segment_bytes": str(64 << 20)})
            began = time.monotonic()
            if way == "log":
                gateway.cli("fix", "replay", str(day.log), patience=1800)
                seconds[way] = time.monotonic() - began
                gateway.cli("fix", "replay", str(day.log), patience=1800)  # again: nothing changes
            elif way == "session":
                over_fix(gateway, day)
            else:
                gateway.cli("trade", "--csv", str(day.csv), patience=1800)
            seconds.setdefault(way, time.monotonic() - began)
            check(gateway.status()["trades"] > options.messages // 2, "most of the trades are not in the books")
            digests[way] = trades_digest(gateway)
        if len(set(digests.values())) != 1:
            print(f"FAILED: the books differ, seed {options.seed}: {digests}", file=sys.stderr)
            return 1
    print(f"verified: {options.messages} trade messages make the same books " + ", ".join(f"by {way} in {took:.1f} s" for way, took in seconds.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
