"""A FIX session of an order system, over simplefix: what the tests, the crash test and the demo floor trade through. It initiates, logs on,
heartbeats, keeps what it sent and both numbers in a file, answers a ResendRequest from it, asks again for what it missed, and after a
break connects and resumes by itself. It knows nothing of Halocline; the rules are the FIX session layer's.

    session = Session(("127.0.0.1", 5001), sender="OMS", target="HALOCLINE", begin="FIX.4.4", store="oms.session", on_message=print)
    session.start()
    number = session.send("8", [(37, "o1"), (17, "e1"), ...])      # body only; sent now, or when there is a session again
    session.stop()                                                  # Logout both ways

A number is given and written to the file before the message may leave, so no number is ever used for two contents. on_message gets
every message that is not of the session layer (and Rejects) once, in the order of its numbers; on_again gets what was sent again
though we had it. Both run on the session's thread.
"""
import collections
import json
import os
import select
import socket
import threading
import time

import simplefix

from messages import utc

SESSION_TYPES = {"0", "1", "2", "4", "5", "A"}
# What frames a message and says from whom, when and as what number it came: may differ when it is sent again.
ENVELOPE = {8, 9, 35, 34, 43, 49, 52, 56, 97, 122, 10}
RETRY = 0.05  # seconds between attempts to connect
PATIENCE = 60
BUFFER = 1 << 16


def connect(address, tls=None):
    """A connected socket; `tls` is an ssl.SSLContext."""
    plain = socket.create_connection(address, timeout=PATIENCE)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tls.wrap_socket(plain, server_hostname=address[0]) if tls else plain
    except BaseException:
        plain.close()
        raise


def text(message, tag, nth=1):
    """The value of a tag as text, None when it is not there."""
    value = message.get(tag, nth)
    return None if value is None else value.decode("utf-8", "replace")


class Numbers:
    """What was sent and what is expected, in memory and in a file: a session goes on where the last one with the file ended. Without
    `keep` every message sent can be sent again; with it the last so many, the others are gap-filled, and the file stays small."""

    def __init__(self, path=None, keep=None):
        self.sent = {}  # number -> (type, body, time it was first sent), of messages that are sent again on request
        self.next_out, self.next_in = 1, 1
        self.path, self.keep, self.lines, self.file = path, keep, 0, None
        self.writing = threading.Lock()  # sending and receiving threads both do
        if path is None:
            return
        self.file = open(path, "a+", encoding="utf-8")
        self.file.seek(0)
        for line in self.file:
            what, number, *rest = json.loads(line)
            self.lines += 1
            if what == "in":
                self.next_in = number
            else:
                self.next_out = number + 1
                if rest:
                    self.sent[number] = (rest[0], [tuple(pair) for pair in rest[1]], rest[2])

    def take(self, kind, pairs, sending_time):
        """The next outgoing number; an application message is kept with it."""
        number = self.next_out
        self.next_out += 1
        if kind in SESSION_TYPES or kind == "3":
            self._write(["out", number])
        else:
            self.sent[number] = (kind, pairs, sending_time)
            if self.keep is not None and len(self.sent) > self.keep:
                del self.sent[next(iter(self.sent))]
            self._write(["out", number, kind, pairs, sending_time])
        return number

    def received(self, number):
        self.next_in = number + 1
        self._write(["in", self.next_in])

    def reset_in(self, number):
        self.next_in = number
        self._write(["in", number])

    def _write(self, line):
        if self.file is None:
            return
        with self.writing:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            self.lines += 1
            if self.keep is not None and self.lines > 8 * self.keep:
                self._shorten()

    def _shorten(self):
        """Writes the file anew, with what is kept."""
        with open(f"{self.path}.new", "w", encoding="utf-8") as new:
            for number, (kind, pairs, sending_time) in self.sent.items():
                new.write(json.dumps(["out", number, kind, pairs, sending_time]) + "\n")
            new.write(json.dumps(["out", self.next_out - 1]) + "\n" + json.dumps(["in", self.next_in]) + "\n")
        os.replace(f"{self.path}.new", self.path)
        self.file.close()
        self.file = open(self.path, "a", encoding="utf-8")
        self.lines = len(self.sent) + 2

    def close(self):
        if self.file is not None:
            self.file.close()


class Session:
    def __init__(self, address, sender, target, begin="FIX.4.4", store=None, heartbeat=10, tls=None, username=None, password=None,
                 keep=None, on_message=None, on_again=None):
        self.address, self.sender, self.target, self.begin, self.tls = address, sender, target, begin, tls
        self.heartbeat, self.username, self.password = heartbeat, username, password
        self.on_message, self.on_again = on_message or (lambda m: None), on_again or (lambda m: None)
        self.numbers = Numbers(store, keep)
        self.logged_on = self.stopping = self.ended = False
        self.logons = self.resent = 0
        self.last_error = ""  # of the counterparty: the Text of its last Logout or Reject, or what broke the connection
        self.answered_tests = collections.deque(maxlen=64)  # TestReqIDs of Heartbeats received
        self.socket = None
        self.sending = threading.RLock()  # the socket's outgoing side and the outgoing numbers
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._run, daemon=True)

    # -- the owner's side, any thread

    def start(self):
        self.thread.start()
        return self

    def send(self, kind, pairs):
        """Gives the message its number and sends it. Without a session it is kept: the counterparty will ask for it."""
        with self.sending:
            sending_time = utc()
            number = self.numbers.take(kind, pairs, sending_time)
            if self.logged_on:
                self._write(kind, number, pairs, sending_time)
            return number

    def ask_again(self, first, last=0):
        """Has the counterparty send numbers first..last (0: to the newest) again."""
        self._send_session("2", [(7, first), (16, last)])

    def test(self, name):
        """A TestRequest; wait_for_test() returns when its Heartbeat is here."""
        self._send_session("1", [(112, name)])

    def wait_for_test(self, name):
        return self.wait_for(f"the answer to TestRequest {name}", lambda: name in self.answered_tests)

    def wait_for(self, what, condition, patience=PATIENCE):
        """Until condition() holds; it is looked at whenever something arrived."""
        until = time.monotonic() + patience
        with self.changed:
            while not condition():
                left = until - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{self.sender}: no {what} in {patience} s; last error: {self.last_error!r}")
                self.changed.wait(min(left, 0.2))

    def wait_logged_on(self, logons=1):
        self.wait_for("logon", lambda: self.logged_on and self.logons >= logons)
        return self

    def stop(self):
        """Logs out, waits for the answer, and ends the thread."""
        with self.sending:
            self.stopping = True
            if self.logged_on:
                self._send_session("5", [])
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise AssertionError(f"{self.sender}: no answer to the Logout")
        self.numbers.close()

    def drop(self):
        """Breaks the connection, as a cut cable would. It resumes by itself."""
        with self.sending:
            if self.socket is not None:
                self.socket.shutdown(socket.SHUT_RDWR)

    # -- what leaves

    def _encode(self, kind, number, pairs, sending_time, first_sent=None):
        message = simplefix.FixMessage()
        message.append_pair(8, self.begin)
        message.append_pair(35, kind)
        message.append_pair(49, self.sender)
        message.append_pair(56, self.target)
        message.append_pair(34, number)
        message.append_pair(52, sending_time)
        if first_sent is not None:
            message.append_pair(43, "Y")
            message.append_pair(122, first_sent)
        for tag, value in pairs:
            message.append_pair(tag, value)
        return message.encode()

    def _write(self, kind, number, pairs, sending_time, first_sent=None):
        """A break on the way out is seen, and handled, where we read."""
        try:
            self.socket.sendall(self._encode(kind, number, pairs, sending_time, first_sent))
            self.last_write = time.monotonic()
        except OSError as error:
            self.last_error = str(error)

    def _send_session(self, kind, pairs):
        with self.sending:
            if self.socket is None:
                return
            now = utc()
            self._write(kind, self.numbers.take(kind, pairs, now), pairs, now)

    def _send_again(self, first, last):
        """Answers a ResendRequest: application messages with PossDupFlag, a gap fill for the rest."""
        with self.sending:
            last = self.numbers.next_out - 1 if last in (0, 999999) else min(last, self.numbers.next_out - 1)
            gap = None
            for number in range(first, last + 1):
                if number not in self.numbers.sent:
                    gap = gap or number
                    continue
                if gap is not None:
                    self._fill(gap, number)
                    gap = None
                kind, pairs, first_sent = self.numbers.sent[number]
                self._write(kind, number, pairs, utc(), first_sent)
                self.resent += 1
            if gap is not None:
                self._fill(gap, last + 1)

    def _fill(self, number, following):
        now = utc()
        self._write("4", number, [(123, "Y"), (36, following)], now, now)

    # -- the session's thread

    def _run(self):
        while not self.stopping:
            try:
                self.socket = connect(self.address, self.tls)
            except OSError as error:
                self.last_error = str(error)
                time.sleep(RETRY)
                continue
            try:
                self._converse()
            except (OSError, ConnectionError) as error:
                self.last_error = str(error) or self.last_error
            with self.sending:
                self.logged_on = False
                self.socket.close()
                self.socket = None
            self._tell()
            if not self.stopping:
                time.sleep(RETRY)
        self.ended = True
        self._tell()

    def _tell(self):
        with self.changed:
            self.changed.notify_all()

    def _converse(self):
        parser = simplefix.FixParser()
        self.asked = None  # the number from which we have asked again
        self.gone = False
        logon = [(98, 0), (108, self.heartbeat)]
        if self.username is not None:
            logon += [(553, self.username), (554, self.password)]
        self._send_session("A", logon)
        self.last_read = time.monotonic()
        tested = False
        while not self.gone:
            pending = self.tls is not None and self.socket.pending() > 0
            readable = pending or select.select([self.socket], [], [], 0.2)[0]
            now = time.monotonic()
            if readable:
                data = self.socket.recv(BUFFER)
                if not data:
                    raise ConnectionError("the counterparty closed the connection")
                self.last_read, tested = now, False
                parser.append_buffer(data)
                while (message := parser.get_message()) is not None:
                    self._handle(message)
                self._tell()
            if self.logged_on and now - self.last_write >= self.heartbeat:
                self._send_session("0", [])
            if now - self.last_read > 2.4 * self.heartbeat:
                raise ConnectionError("no heartbeat")
            if self.logged_on and not tested and now - self.last_read > 1.2 * self.heartbeat:
                tested = True
                self.test("are-you-there")

    def _handle(self, message):
        kind, number = text(message, 35), int(message.get(34))
        again = message.get(43) == b"Y"
        if kind == "4" and message.get(123) != b"Y":  # a reset holds whatever its number is
            self.numbers.reset_in(int(message.get(36)))
            return
        if kind == "A":
            # On before its number is looked at: it may be what is missing that we ask for.
            with self.sending:
                self.logged_on = True
                self.logons += 1
                if self.stopping:
                    self._send_session("5", [])
        if number > self.numbers.next_in:
            if kind == "2":  # answered at once, else two that miss something wait for each other
                self._send_again(int(message.get(7)), int(message.get(16)))
            if kind == "5":
                self._logged_out(message)
                return
            if self.asked is None or self.asked < self.numbers.next_in:
                self.asked = self.numbers.next_in
                self.ask_again(self.numbers.next_in)
            return
        if number < self.numbers.next_in:
            if not again:
                raise ConnectionError(f"MsgSeqNum {number} came back where {self.numbers.next_in} was next")
            if kind not in SESSION_TYPES:
                self.on_again(message)
            return
        if kind == "4":
            self.numbers.reset_in(int(message.get(36)))
            return
        if kind not in SESSION_TYPES:
            if kind == "3":
                self.last_error = text(message, 58) or ""
            self.on_message(message)
        self.numbers.received(number)
        if kind == "1":
            self._send_session("0", [(112, message.get(112).decode())])
        elif kind == "0" and message.get(112):
            self.answered_tests.append(text(message, 112))
        elif kind == "2":
            self._send_again(int(message.get(7)), int(message.get(16)))
        elif kind == "5":
            self._logged_out(message)

    def _logged_out(self, message):
        self.last_error = text(message, 58) or self.last_error
        with self.sending:
            if not self.stopping:
                self._send_session("5", [])
            self.logged_on = False
        self.gone = True
