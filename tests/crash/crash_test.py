"""Kills the real server with SIGKILL under load, again and again, and holds what it had told its clients against the journal and
the independent model (tests/oracle/model.py).

  crash_test.py --kills 30 [--seed N] [--rate 400] [--fault-points yes|no] [--keep]

Each kill is at a random number of answers, or a random time into a recovery. With --fault-points yes (the default) the server also dies once
at each point of src/journal/crash_point.h. Verified at the end:
  - every trade was answered once, in order; every alert event came once, in order (tests/crash/load.cc looks while it runs);
  - an answer ACCEPTED is that trade at that seq of the journal, and no other place accepts the same version; a DUPLICATE's first_seq is;
    the model gives every answered trade the outcome and first_seq that the client was told;
  - every event a client saw is the model's, field by field, and the model has no more of them up to the last;
  - the server's state digest is the model's at that seq, before and after a graceful stop (exit 0) and restart.
The seed is printed; a failing run keeps its directory and says where.
"""
import decimal
import random
import signal
import sys
import time

from killing import parser, play
from recompute import check, recompute
from server import Load, Server, journal_commands, lasting_address, status

# Each with the count at which it strikes: some way into a load. before_seal and after_seal are points of a graceful stop.
POINTS = {"before_write": 40, "after_write": 40, "before_sync": 40, "after_sync": 40, "before_rotate": 1, "in_rotate": 1, "after_rotate": 1,
          "in_preallocate": 2, "before_seal": 1, "after_seal": 1}
IN_EFFECT = ("ACCEPTED", "TOMBSTONE")
decimal.getcontext().prec = 60


def e8(text):
    value = decimal.Decimal(text) * 10**8
    check(value == int(value), f"{text} has more than 8 decimals")
    return str(int(value))


class Run:
    settings = {}  # of the server, besides those of all crash tests

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.data = directory / "data"
        self.random = random.Random(options.seed)
        self.kills = self.in_recovery = self.at_points = 0
        self.listen = lasting_address()
        self.server = None

    def start(self, environment=None, wait=True):
        self.server = Server(self.data, self.listen, environment, wait, self.settings)
        return self.server

    def start_serving(self, environment=None):
        self.start(environment)
        if self.server.address is None:
            raise AssertionError(f"the server did not start, exit code {self.server.ended()}\n{self.server.said()}")
        self.listen = self.server.address

    def serve_some(self, load, acks):
        """Lets the server answer so many trades."""
        until = load.acks + acks
        return load.wait_for(f"{acks} answers", lambda: load.acks >= until, self.server)

    def kill_at_random(self, load):
        check(self.serve_some(load, self.random.randrange(5, 150)), f"the server ended by itself\n{self.server.said()[-2000:]}")
        check(self.server.kill() == -signal.SIGKILL, "it had ended before it was killed")
        self.kills += 1

    def kill_in_recovery(self):
        """At a random time after the start of the process, from before its first instruction to well after it serves."""
        self.start(wait=False)
        time.sleep(self.random.uniform(0, 0.08))  # the moment is the test's input
        self.server.kill()
        self.kills += 1
        self.in_recovery += 1

    def die_at(self, load, point, count):
        self.start({"HALOCLINE_CRASH_AT": f"{point}:{count}"})
        if point.endswith("_seal"):
            self.serve_some(load, 20)
            self.server.process.send_signal(signal.SIGTERM)
        else:
            load.wait_for(f"the end at {point}", lambda: False, self.server)
        code = self.server.ended()
        check(code == -signal.SIGKILL, f"{point}:{count} ended the server with {code}")
        self.at_points += 1

    def die_at_points(self, load):
        for point, count in POINTS.items():
            self.die_at(load, point, count)

    def crash(self):
        self.start_serving()
        load = Load(self.server.address, self.options.seed, self.options.rate, self.directory / "load.log")
        try:
            load.wait_for("the floor", lambda: load.lines)
            self.die(load)
            self.serve_some(load, 100)
            return load.finish()
        finally:
            if load.process.poll() is None:
                load.process.kill()

    def die(self, load):
        """In all the ways; the server serves before and afterwards."""
        self.be_killed(load)
        self.pass_points(load)

    def be_killed(self, load):
        self.started = time.monotonic()
        while self.kills < self.options.kills:
            self.kill_at_random(load)
            while self.kills < self.options.kills and self.random.randrange(4) == 0:
                self.kill_in_recovery()
            self.start_serving()
        self.seconds = time.monotonic() - self.started

    def pass_points(self, load):
        if self.options.fault_points == "yes":
            self.server.kill()
            self.die_at_points(load)
            self.start_serving()

    def end(self):
        if self.server is not None and self.server.process.poll() is None:
            self.server.process.kill()

    # -- what must hold

    def verify(self, lines):
        before = status(self.server.address, digest=True)
        check(self.server.stop() == 0, f"a graceful stop must end with 0\n{self.server.said()[-2000:]}")
        self.start_serving()
        after = status(self.server.address, digest=True)
        check(self.server.stop() == 0, "a second graceful stop must end with 0")
        commands = journal_commands(self.data)

        outcomes, events = recompute(commands, (before, after))
        acks = [line for line in lines if "ack" in line]
        self.verify_acks(acks, commands, outcomes)
        self.verify_events([line for line in lines if "event" in line], events)
        (end,) = [line for line in lines if "end" in line]
        check(end["acks"] == len(acks), f"{len(acks)} answers were written, {end['acks']} counted")
        segments = len(list((self.data / "journal").glob("journal-*.seg")))
        return len(commands), len(acks), sum(a["outcome"] == "DUPLICATE" for a in acks), end, segments

    @staticmethod
    def verify_acks(acks, commands, outcomes):
        accepted = {}  # (source, id, version) -> seqs
        for command in commands:
            if command["type"] == "Trade" and outcomes[command["seq"]][0] in IN_EFFECT:
                accepted.setdefault((command["source"], command["trade_id"], command["version"]), []).append(command["seq"])
        for key, seqs in accepted.items():
            check(len(seqs) == 1, f"{key} was accepted at {seqs}")
        for token, ack in enumerate(acks, 1):
            check(ack["ack"] == token, f"answer {ack} where {token} comes next")
            check(1 <= ack["seq"] <= len(commands), f"{ack} was acknowledged and is not in the journal, which ends at {len(commands)}")
            command, key = commands[ack["seq"] - 1], (ack["source"], ack["id"], ack["version"])
            check(command["type"] == "Trade" and (command["source"], command["trade_id"], command["version"]) == key
                  and command["action"] == ack["action"], f"{ack} is not what the journal holds there: {command}")
            check(outcomes[ack["seq"]] == (ack["outcome"], ack["first_seq"]), f"{ack} is {outcomes[ack['seq']]} to the model")
            if ack["outcome"] in IN_EFFECT:
                check(accepted[key] == [ack["seq"]], f"{ack}, and the journal accepts it at {accepted[key]}")
            if ack["outcome"] == "DUPLICATE":
                check(accepted.get(key) == [ack["first_seq"]], f"{ack}, and the journal accepts it at {accepted.get(key)}")

    @staticmethod
    def verify_events(seen, events):
        check(len(seen) <= len(events), f"clients saw {len(seen)} events, the journal makes {len(events)}")
        for at, (one, other) in enumerate(zip(seen, events), 1):
            one = {**one, "value": e8(one["value"]), "threshold": e8(one["threshold"])}
            check(one["event"] == at, f"event {one['event']} where {at} comes next")
            check(one == other, f"event {at} differs\n  seen  {one}\n  model {other}")


def prove(run):
    began = time.monotonic()
    lines = run.crash()
    killed = time.monotonic()
    commands, acks, duplicates, end, segments = run.verify(lines)
    return (f"{run.kills} kills ({run.in_recovery} in recovery) in {run.seconds:.1f} s, {run.kills / run.seconds:.2f} a second; "
            f"{run.at_points} deaths at fault points\n"
            f"verified: {acks} answers ({duplicates} DUPLICATE, {end['resent']} trades resent over {end['breaks']} breaks), {end['events']} alert events, "
            f"{commands} journaled commands in {segments} segments, the digest at two seqs; "
            f"{time.monotonic() - began:.0f} s, {time.monotonic() - killed:.0f} of them to verify")


if __name__ == "__main__":
    options = parser(__doc__, 400, "trades")
    options.add_argument("--fault-points", choices=("yes", "no"), default="yes")
    sys.exit(play("crash test", options.parse_args(), Run, prove))
