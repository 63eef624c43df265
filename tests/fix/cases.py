"""The session cases in cases/*.fix: what a counterparty sends (I) and what must come back (E), line by line over a raw socket. The form is
ours:

    # What the case shows, in a sentence or two, and the public FIX session test case it belongs to.
    versions: 4.2 4.4                 each is a run of its own, with a session and a book of its own (default: these; 5.0 is 5.0 SP2)
    config: clock_skew_seconds = 60   a key of its [[fix.session]]; as many of these lines as needed

    I 35=A|34=1|98=0|108=30           sent; 8 9 49 52 56 10 are filled in where they are not given; !52 leaves one out,
                                      +31=11 puts a field at the end as it stands
    I trade:e1|34=2                   an execution of 100 AAPL with ExecID e1; what follows replaces its fields or adds to them
    I capture:t1|34=2                 the same as a TradeCaptureReport
    B one ;; two ;; three             as I, several in one write
    S 35=0|34=2                       as I, a write for each byte
    R 8=FIX.4.4|9=5|35=               raw bytes, | is SOH, nothing filled in
    E 35=A|34=1|108=30                the next message has these fields; !58 must not be there, 58=~word is looked for with a regex,
                                      4.4:373=13 holds of this version only
    W 35=1|112=~.                     as E, but Heartbeats before it are passed over; W end: as D
    D                                 the server closes the connection, having sent nothing more
    X                                 we close it
    C                                 a new connection (the first one opens by itself)
    I2 …, E2 …, D2                    the same on a second connection
    BOOK 200 trades 2                 the run's book holds 200 AAPL in two live trades, durable, over gRPC; BOOK 0 trades 0 of X
    LIST X                            makes a share of that symbol known, over gRPC
    DURABLE 5                         waits until 5 is the number expected after a crash
    KILL                              SIGKILL of the server, and a new start
    STOP, START                       SIGTERM; and that it has left with 0, and a new start

Values: <now>, <now-90> (seconds) as UTC time, <today>; <wrong> a CheckSum that is not right; <id> is our CompID and our book, <server> the server's, <begin> the BeginString.
Everything the server sends must be expected by a line: a message too many fails the next E or D. There is no waiting for silence: a
case sends a TestRequest and expects its Heartbeat next.
"""
import pathlib
import re
import signal
import socket

import messages
from gateway import BEGIN, SERVER_ID, share
from server import PATIENCE

SOH = b"\x01"
CASES = pathlib.Path(__file__).resolve().parent / "cases"
STEP = re.compile(r"(?:(?P<what>[IBSREWDXC])(?P<link>2?)|(?P<word>KILL|STOP|START|BOOK|DURABLE|LIST))(?: (?P<rest>.*))?$")
FRAME = re.compile(rb"8=(FIXT?\.\d\.\d)\x019=(\d+)\x01")


class Mismatch(AssertionError):
    pass


class Case:
    def __init__(self, path):
        self.name, self.path = path.stem, path
        self.versions, self.config, self.steps = ["4.2", "4.4"], [], []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("versions: "):
                self.versions = line.split()[1:]
            elif line.startswith("config: "):
                self.config.append(line.removeprefix("config: "))
            elif match := STEP.match(line):
                self.steps.append((number, match))
            else:
                raise ValueError(f"{path.name}:{number}: not a line of a case: {line}")

    def runs(self):
        """(CompID, version) of each."""
        return [(f"{self.name}-{version}", version) for version in self.versions]


def all_cases():
    return [Case(path) for path in sorted(CASES.glob("*.fix"))]


class Link:
    """One connection: bytes out, framed and checked messages in."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""

    def receive(self):
        """The next message as [(tag, value)], None at the end of the connection."""
        while True:
            match = FRAME.match(self.bytes)
            if match and len(self.bytes) >= match.end() + int(match[2]) + 7:
                end = match.end() + int(match[2]) + 7
                raw, self.bytes = self.bytes[:end], self.bytes[end:]
                return self.checked(raw)
            if not match and len(self.bytes) > 32:
                raise Mismatch(f"no FIX message: {self.bytes[:200]!r}")
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                raise Mismatch(f"nothing came in {PATIENCE} s") from None
            except ConnectionResetError:
                data = b""
            if not data:
                if self.bytes:
                    raise Mismatch(f"half a message at the end: {self.bytes!r}")
                return None
            self.bytes += data

    @staticmethod
    def checked(raw):
        if raw[-7:] != b"10=%03d\x01" % (sum(raw[:-7]) % 256):
            raise Mismatch(f"BodyLength or CheckSum of {raw!r} is wrong")
        fields = [tuple(pair.split(b"=", 1)) for pair in raw[:-1].split(SOH)]
        return [(tag.decode(), value.decode("utf-8", "replace")) for tag, value in fields]

    def close(self):
        self.socket.close()


class Player:
    """Plays one run of a case on a gateway (gateway.py)."""

    def __init__(self, case, comp_id, version, gateway):
        self.case, self.comp_id, self.version, self.gateway = case, comp_id, version, gateway
        self.links = {}

    def play(self):
        try:
            for number, step in self.case.steps:
                try:
                    self.step(step["what"], step["link"], step["word"], step["rest"])
                except (Mismatch, OSError) as error:
                    raise Mismatch(f"{self.case.path.name}:{number} ({self.version}): {step[0]}\n  {error}") from None
            for link in self.links.values():
                if link.bytes:
                    raise Mismatch(f"{self.case.path.name} ({self.version}): left over at the end: {link.bytes!r}")
        finally:
            self.close()

    def close(self):
        for link in self.links.values():
            link.close()
        self.links.clear()

    def step(self, what, key, word, rest):
        if word:
            self.on_server(word, rest)
            return
        if what == "C" or (not self.links and not key) or (key and key not in self.links):
            self.links[key] = Link(self.gateway.fix_address)
        link = self.links[key]
        if what in "IBS":
            data = b"".join(self.message(one) for one in rest.split(" ;; "))
            for part in [data] if what != "S" else (data[at:at + 1] for at in range(len(data))):
                link.socket.sendall(part)
        elif what == "R":
            link.socket.sendall(self.filled(rest).encode().replace(b"|", SOH))
        elif what == "E":
            self.expect(link.receive(), rest)
        elif what == "D" or rest == "end":
            while (message := link.receive()) is not None:
                if what == "D" or not is_heartbeat(message):
                    raise Mismatch(f"instead of an end came {shown(message)}")
            self.links.pop(key).close()
        elif what == "W":
            while is_heartbeat(message := link.receive()):
                pass
            self.expect(message, rest)
        elif what == "X":
            self.links.pop(key).close()

    def on_server(self, word, rest):
        if word == "KILL":
            self.gateway.kill()
            self.close()
            self.gateway.start()
        elif word == "STOP":
            self.gateway.server.process.send_signal(signal.SIGTERM)
        elif word == "START":
            if (code := self.gateway.server.ended()) != 0:
                raise Mismatch(f"the server left with {code}")
            self.gateway.start()
        elif word == "DURABLE":
            if (durable := self.gateway.wait_until_durable(self.comp_id, int(rest))) != int(rest):
                raise Mismatch(f"it is {durable}")
        elif word == "LIST":
            self.gateway.load(share(self.filled(rest)))
        else:
            wanted, _, symbol = self.filled(rest).partition(" of ")
            quantity, trades = self.gateway.position(f"book:{self.comp_id}", symbol or "AAPL")
            if f"{quantity} trades {trades}" != wanted:
                raise Mismatch(f"it holds {quantity} in {trades} trades")

    # -- fields

    def filled(self, value):
        value = value.replace("<id>", self.comp_id).replace("<server>", SERVER_ID).replace("<begin>", BEGIN[self.version])
        value = value.replace("<today>", messages.utc()[:8])
        return re.sub(r"<now([-+]\d+)?>", lambda match: messages.utc(int(match[1] or 0)), value)

    def message(self, line):
        """The bytes of a message; 9 and 10 are made right when they are not given."""
        fields = [("8", "<begin>"), ("9", None), ("35", None), ("34", None), ("49", "<id>"), ("56", "<server>"), ("52", "<now>")]
        places = {tag: place for place, (tag, _) in enumerate(fields)}
        tail, left_out = [], set()
        for item in line.split("|"):
            if item.startswith("!"):
                left_out.add(item[1:])
                continue
            if item.startswith("+"):
                tail.append(tuple(item[1:].split("=", 1)))
                continue
            kind, _, name = item.partition(":")
            if kind == "trade":
                given = messages.execution(self.version, name, book=self.comp_id)
            elif kind == "capture":
                given = messages.capture(name, book=self.comp_id)
            else:
                given = [item.split("=", 1)]
            group = kind in ("trade", "capture")
            for tag, value in given:
                if str(tag) in places and not (group and str(tag) in messages.IN_GROUPS):
                    fields[places[str(tag)]] = (str(tag), str(value))
                else:
                    places.setdefault(str(tag), len(fields))
                    fields.append((str(tag), str(value)))
        head = [(tag, value) for tag, value in fields if tag in messages.HEADER]
        fields = head + [(tag, value) for tag, value in fields if tag not in messages.HEADER] + tail
        given = dict(fields)
        inner = "".join(f"{tag}={self.filled(value)}\x01" for tag, value in fields
                        if tag not in ("8", "9", "10") and tag not in left_out and value is not None).encode()
        whole = b"" if "8" in left_out else f"8={self.filled(given['8'])}\x01".encode()
        whole += b"" if "9" in left_out else f"9={given['9'] or len(inner)}\x01".encode()
        whole += inner
        check = sum(whole) % 256
        given.setdefault("10", f"{check:03d}")
        return whole + f"10={given['10'].replace('<wrong>', f'{(check + 1) % 256:03d}')}\x01".encode()

    def expect(self, message, line):
        if message is None:
            raise Mismatch("the connection ended")
        have = dict(reversed(message))
        wrong = []
        for item in line.split("|"):
            version, colon, rest = item.partition(":")
            if colon and version in BEGIN:
                if version != self.version:
                    continue
                item = rest
            tag, _, value = item.partition("=")
            value = self.filled(value)
            if item.startswith("!"):
                wrong += [f"{item[1:]} is there"] if item[1:] in have else []
            elif tag not in have:
                wrong.append(f"{tag} is not there")
            elif value.startswith("~") and not re.search(value[1:], have[tag]):
                wrong.append(f"{tag} does not say {value[1:]}")
            elif not value.startswith("~") and value != have[tag]:
                wrong.append(f"{tag} is not {value}")
        header = {"8": BEGIN[self.version], "49": SERVER_ID, "56": self.comp_id}
        wrong += [f"{tag} is not {value}" for tag, value in header.items() if have.get(tag) != value]
        if [tag for tag, _ in message[:3]] != ["8", "9", "35"] or "52" not in have:
            wrong.append("8, 9, 35 are not first, or there is no 52")
        if wrong:
            raise Mismatch(f"{', '.join(wrong)} in {shown(message)}")


def is_heartbeat(message):
    return message is not None and ("35", "0") in message and not any(tag == "112" for tag, _ in message)


def shown(message):
    return "|".join(f"{tag}={value}" for tag, value in message)
