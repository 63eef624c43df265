"""Kills the server with SIGKILL under FIX load, again and again; the counterparties resume by themselves. What they were told is held
against the journal and the independent model (tests/oracle/model.py).

  crash_test.py --kills 30 [--seed N] [--rate 150] [--keep]

Three sessions of simplefix: execution reports of 4.2 and of 4.4, and trade capture reports of 4.4 over TLS. Each reports new trades,
corrections and cancels, some before what they correct, some twice, some that cannot be booked. Verified at the end:
  - each message sent is in the journal once, under its number, in order, with just the commands it means;
  - each capture has one acknowledgement and each refused execution one BusinessMessageReject, each journaled once and delivered once, and
    saying what the model says of the trade; nothing else was answered;
  - all answers, asked for again at the end, come again under their numbers with the same content;
  - the server's state digest is the model's, before and after a graceful stop (exit 0) and restart.
The seed is printed; a failing run keeps its directory and says where.
"""
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from gateway import SERVER_ID, Gateway, floor, make_certificate, session, trusting  # noqa: E402
from killing import parser, play  # noqa: E402
from messages import CANCEL, CORRECT, NEW, capture, execution  # noqa: E402
from recompute import check, recompute  # noqa: E402
from server import PATIENCE, journal_commands  # noqa: E402
from session import ENVELOPE, Session, text  # noqa: E402

CHAINS = 60  # of each session: few enough for a model that recomputes everything after each command
BOOKED = ("ACCEPTED", "TOMBSTONE", "DUPLICATE", "STALE")
ACTIONS = {NEW: 1, CORRECT: 2, CANCEL: 3}
SESSIONS = (("EXEC42", "4.2", False), ("EXEC44", "4.4", False), ("CAPTURE", "4.4", True))


class Reporter:
    """One session and the trades it reports, at random from a seed."""

    def __init__(self, name, version, address, tls, seed, rate):
        self.name, self.version, self.rate = name, version, rate
        self.random = random.Random(f"{seed}-{name}")
        self.sent = {}     # number -> (type, id, reference, action, commands)
        self.answers = {}  # number -> (type, the content) of what came from the server, as it came first
        self.again = {}    # number -> contents that came again
        self.chains = {}   # root -> ids of its links
        self.last = None
        self.ending = threading.Event()
        self.session = Session(address, name, SERVER_ID, "FIX." + version, tls=tls, on_message=self.answered, on_again=self.came_again)
        self.session.start().wait_logged_on()
        self.thread = threading.Thread(target=self._report, daemon=True)

    def start(self):
        self.thread.start()

    def end(self):
        self.ending.set()
        self.thread.join(PATIENCE)

    # -- what it sends

    def _report(self):
        while not self.ending.is_set():
            self.report()
            time.sleep(self.random.expovariate(self.rate))  # a bounded rate, whatever the server does

    def report(self):
        what = self.random.random()
        if what < 0.04 and self.last is not None:
            return self.send(*self.last)
        root = f"{self.name}-{self.random.randrange(CHAINS)}"
        links = self.chains.get(root)
        if links is None:
            self.chains[root] = [root]
            if what < 0.2:  # the correction is there before its trade
                self.link(root, CORRECT)
            return self.trade(root, NEW, None)
        if what < 0.08:
            return self.trade(f"{root}.nowhere{len(self.sent)}", NEW, None, book="nowhere")
        return self.link(root, CANCEL if what < 0.2 else CORRECT)

    def link(self, root, kind):
        links = self.chains[root]
        new = f"{root}.{len(links)}"
        self.trade(new, kind, self.random.choice((root, links[-1])))
        links.append(new)

    def trade(self, one, kind, ref, book="b1"):
        more = dict(book=book, kind=kind, ref=ref, side=self.random.choice(("buy", "sell")), quantity=self.random.randrange(1, 500),
                    price=self.random.randrange(100, 200), symbol=self.random.choice(("AAPL", "MSFT", "SAP")),
                    trader=self.random.choice(("anna", "boris")))
        sides = 1
        if self.name == "CAPTURE":
            if self.random.random() < 0.3 and "." not in one:
                sides, more["other_side"] = 2, ("b2", "boris")
            fields = capture(one, **more)
        else:
            fields = execution(self.version, one, **more)
        self.send(fields, (str(fields[0][1]), one, ref or "", ACTIONS[kind], sides))

    def send(self, fields, meaning):
        self.last = (fields, meaning)
        self.sent[self.session.send(meaning[0], fields[1:])] = meaning

    # -- what it is told

    @staticmethod
    def content(message):
        """All but what differs from one sending to the next."""
        return [(tag.decode(), value.decode()) for tag, value in message.pairs if int(tag) not in ENVELOPE]

    def answered(self, message):
        number = int(message.get(34))
        check(number not in self.answers, f"{self.name}: two messages {number}")
        self.answers[number] = (text(message, 35), self.content(message))

    def came_again(self, message):
        self.again.setdefault(int(message.get(34)), []).append((text(message, 35), self.content(message)))


class Run:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.random = random.Random(options.seed)
        self.kills = self.in_recovery = 0
        self.gateway, self.reporters = None, []

    def end(self):
        if self.gateway is not None and self.gateway.server.process.poll() is None:
            self.gateway.kill()

    def crash(self):
        certificate = make_certificate(self.directory)
        self.gateway = Gateway(self.directory, "".join(session(name, version) for name, version, _ in SESSIONS),
                               reference=floor(("b1", "b2")), tls=certificate)
        trust = trusting(certificate[0])
        self.reporters = [
            Reporter(name, version, self.gateway.fix_tls_address if tls else self.gateway.fix_address, trust if tls else None,
                     self.options.seed, self.options.rate / len(SESSIONS)) for name, version, tls in SESSIONS]
        for reporter in self.reporters:
            reporter.start()
        started = time.monotonic()
        while self.kills < self.options.kills:
            self.kill_at_random()
            while self.kills < self.options.kills and self.random.randrange(4) == 0:
                self.kill_in_recovery()
            self.gateway.start()
        self.seconds = time.monotonic() - started
        for reporter in self.reporters:
            reporter.end()
        for reporter in self.reporters:
            self.settle(reporter)

    def kill_at_random(self):
        """When a random one of the sessions is on and has sent so many messages more."""
        reporter, more = self.random.choice(self.reporters), self.random.randrange(1, 50)
        reporter.session.wait_for("logon", lambda: reporter.session.logged_on)
        sent = len(reporter.sent)
        reporter.session.wait_for(f"{more} messages", lambda: len(reporter.sent) >= sent + more)
        check(self.gateway.kill() == -signal.SIGKILL, "it had ended before it was killed")
        self.kills += 1

    def kill_in_recovery(self):
        """At a random time after the start of the process, from before its first instruction to well after it serves."""
        self.gateway.start(wait=False)
        time.sleep(self.random.uniform(0, 0.15))  # the moment is the test's input
        self.gateway.kill()
        self.kills += 1
        self.in_recovery += 1

    def settle(self, reporter):
        """Until all it sent has been taken and answered; then every answer once more."""
        on = reporter.session
        on.wait_for("logon", lambda: on.logged_on)
        answers = sum(meaning[0] == "AE" for meaning in reporter.sent.values())
        on.test("taken")
        taken = on.numbers.next_out
        on.wait_for_test("taken")
        self.gateway.wait_until_durable(reporter.name, taken)
        on.wait_for(f"{answers} acknowledgements",
                    lambda: sum(kind == "AR" for kind, _ in list(reporter.answers.values())) >= answers)
        on.test("answered")  # what else there is comes before its Heartbeat
        on.wait_for_test("answered")
        reporter.again.clear()
        on.ask_again(1)
        on.test("again")
        on.wait_for_test("again")
        on.stop()

    # -- what must hold

    def verify(self):
        before = self.gateway.status(digest=True)
        self.gateway.stop()
        self.gateway.start()
        after = self.gateway.status(digest=True)
        self.gateway.stop()
        commands = journal_commands(self.gateway.data)
        outcomes, _ = recompute(commands, (before, after))
        for reporter in self.reporters:
            taken = self.verify_taken(reporter, commands)
            self.verify_answers(reporter, commands, outcomes, taken)
        return len(commands)

    @staticmethod
    def verify_taken(reporter, commands):
        """-> {number: seq of its FixReceived}"""
        received = [c for c in commands if c["type"] == "FixReceived" and c["session"] == reporter.name]
        numbers = [c["number"] for c in received]
        check(numbers == sorted(set(numbers)), f"{reporter.name}: the journal takes a number twice or out of order")
        taken = {c["number"]: c for c in received}
        for number, (_, one, ref, action, sides) in reporter.sent.items():
            check(number in taken, f"{reporter.name}: message {number} ({one}) was sent and is not in the journal")
            seq = taken[number]["seq"]
            check(taken[number]["commands"] == sides, f"{reporter.name}: message {number} became {taken[number]}")
            for side in range(sides):
                ending = f"/{side + 1}" if side else ""
                trade = commands[seq + side]
                have = (trade["type"], trade.get("source"), trade.get("trade_id"), trade.get("reference"), trade.get("action"))
                check(have == ("TradeReport", reporter.name, one + ending, ref and ref + ending, action),
                      f"{reporter.name}: message {number} ({one}) became {trade}")
        for number, command in taken.items():
            check(number in reporter.sent or command["commands"] == 0, f"{reporter.name}: {command} was not sent")
        reports = sum(c["type"] == "TradeReport" and c["source"] == reporter.name for c in commands)
        check(reports == sum(meaning[4] for meaning in reporter.sent.values()), f"{reporter.name}: {reports} reports in the journal")
        return {number: command["seq"] for number, command in taken.items()}

    @staticmethod
    def verify_answers(reporter, commands, outcomes, taken):
        sent = {}  # seq of what it answers -> FixSent
        for command in commands:
            if command["type"] == "FixSent" and command["session"] == reporter.name:
                check(command["answers"] not in sent, f"{reporter.name}: {command} answers what was answered")
                sent[command["answers"]] = command
        for number, (kind, one, _, _, sides) in reporter.sent.items():
            seq = taken[number]
            told = [outcomes[seq + 1 + side][0] for side in range(sides)]
            booked = all(outcome in BOOKED for outcome in told)
            if kind == "8" and booked:
                check(seq not in sent, f"{reporter.name}: {one} was booked and is answered by {sent.get(seq)}")
                continue
            check(seq in sent, f"{reporter.name}: {one} ({told}) is not answered")
            answer = sent.pop(seq)
            check(answer["number"] in reporter.answers, f"{reporter.name}: answer {answer['number']} to {one} never came")
            type_, content = reporter.answers[answer["number"]]
            fields = dict(content)
            if kind == "8":
                check((type_, fields.get("45"), fields.get("379")) == ("j", str(number), one), f"{one} ({told}) is answered {type_} {content}")
            else:
                check((type_, fields.get("571")) == ("AR", one), f"{one} ({told}) is answered {type_} {content}")
                check((fields.get("939") == "0") == booked, f"{one} ({told}) is answered {content}")
            if not booked or set(told) - {"ACCEPTED"}:
                check(any(outcome in fields.get("58", "") for outcome in told), f"{one} ({told}) is answered {content}")
            body = "".join(f"{tag}={value}\x01" for tag, value in content)
            check(body in answer["message"], f"{reporter.name}: journaled {answer['message']!r}, delivered {body!r}")
        check(not sent, f"{reporter.name}: these answer nothing that was sent: {sent}")
        check({number: [once] for number, once in reporter.answers.items()} == reporter.again,
              f"{reporter.name}: what came again is not what came first: {unlike(reporter)}")


def unlike(reporter):
    return [(number, reporter.answers.get(number), reporter.again.get(number)) for number in sorted({*reporter.answers, *reporter.again})
            if reporter.again.get(number) != [reporter.answers.get(number)]][:3]


def prove(run):
    began = time.monotonic()
    run.crash()
    killed = time.monotonic()
    commands = run.verify()
    sent, answers = sum(len(r.sent) for r in run.reporters), sum(len(r.answers) for r in run.reporters)
    resent, logons = sum(r.session.resent for r in run.reporters), sum(r.session.logons for r in run.reporters)
    return (f"{run.kills} kills ({run.in_recovery} in recovery) in {run.seconds:.1f} s\nverified: {sent} messages ({resent} asked for again), {answers} "
            f"answers, {logons} logons, {commands} journaled commands, the digest at two seqs; {time.monotonic() - began:.0f} s, "
            f"{time.monotonic() - killed:.0f} of them to verify")


if __name__ == "__main__":
    sys.exit(play("FIX crash test", parser(__doc__, 150, "messages").parse_args(), Run, prove))
