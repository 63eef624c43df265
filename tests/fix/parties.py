"""Two counterparties that are not ours, behind one face: simplefix with the session loop of session.py, and QuickFIX/J in a process of
its own.

    party.send(fields)              an application message, (35, type) first
    party.settled()                 everything sent so far has been taken: a TestRequest has come back
    party.answers                   the application messages and Rejects received, each a dict of its first fields by tag, in order
    party.wait_for(what, condition)
"""
import itertools
import pathlib
import subprocess
import threading

from gateway import BEGIN, PATIENCE, ROOT, SERVER_ID
from session import Session

TESTS = itertools.count(1)


def first_fields(pairs):
    """{tag: value} of the first field of each tag."""
    found = {}
    for tag, value in pairs:
        found.setdefault(int(tag), value.decode() if isinstance(value, bytes) else value)
    return found


class SimpleFix:
    def __init__(self, address, comp_id, version, directory, tls=None):
        self.answers = []
        self.session = Session(address, comp_id, SERVER_ID, BEGIN[version], store=f"{directory}/{comp_id}.session", tls=tls,
                               on_message=lambda message: self.answers.append(first_fields(message.pairs)))
        self.session.start().wait_logged_on()

    def send(self, fields):
        assert fields[0][0] == 35
        return self.session.send(str(fields[0][1]), fields[1:])

    def settled(self):
        name = f"t{next(TESTS)}"
        self.session.test(name)
        self.session.wait_for_test(name)

    def wait_for(self, what, condition):
        self.session.wait_for(what, condition)

    def relogon(self):
        """Breaks the connection and is on again."""
        logons = self.session.logons
        self.session.drop()
        self.session.wait_logged_on(logons + 1)

    def stop(self):
        self.session.stop()


class QuickFixJ:
    """One JVM for several sessions: `sessions` are (CompID, version, address, certificate or None)."""

    def __init__(self, sessions, directory):
        subprocess.run([ROOT / "tools/build-java", "tests/fix/quickfixj", "build/quickfixj"], check=True)
        settings = pathlib.Path(directory) / "quickfixj.cfg"
        settings.write_text(self.settings(sessions, directory))
        build = ROOT / "build/quickfixj"
        self.log = open(f"{directory}/quickfixj.log", "wb")
        self.process = subprocess.Popen(["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{build}/classes:{build}/lib/*",
                                         "dev.halocline.fix.Counterparty", str(settings)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.parties = {comp_id: QuickFixJParty(self, comp_id) for comp_id, *_ in sessions}
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        for party in self.parties.values():
            party.wait_for("logon", lambda party=party: party.logons > 0)

    @staticmethod
    def settings(sessions, directory):
        text = ["[default]", "ConnectionType=initiator", f"FileStorePath={directory}/quickfixj", "StartTime=00:00:00", "EndTime=00:00:00",
                "NonStopSession=Y", "HeartBtInt=10", "ReconnectInterval=1", "UseDataDictionary=Y", "ValidateUserDefinedFields=Y",
                f"TargetCompID={SERVER_ID}"]
        for comp_id, version, (host, port), certificate in sessions:
            text += ["[session]", f"BeginString={BEGIN[version]}", f"SenderCompID={comp_id}", f"SocketConnectHost={host}",
                     f"SocketConnectPort={port}", f"DataDictionary={BEGIN[version].replace('.', '')}.xml"]
            if certificate is not None:
                store = f"{directory}/trust.p12"
                if not pathlib.Path(store).exists():
                    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "server", "-file", certificate, "-keystore", store,
                                    "-storetype", "PKCS12", "-storepass", "changeit"], check=True, capture_output=True)
                # TLS 1.2: of TLS 1.3 MINA 2.1.4 may keep what came right behind the handshake until more comes. simplefix speaks 1.3.
                text += ["SocketUseSSL=Y", "EnabledProtocols=TLSv1.2", f"SocketTrustStore={store}", "SocketTrustStorePassword=changeit",
                         "TrustStoreType=PKCS12", "EndpointIdentificationAlgorithm=HTTPS"]
        return "\n".join(text) + "\n"

    def _read(self):
        for line in self.process.stdout:
            what, comp_id, more = (line.rstrip("\n").split(" ", 2) + ["", ""])[:3]
            if comp_id not in self.parties:
                raise AssertionError(f"the counterparty said {line!r}")
            with self.changed:
                self.parties[comp_id].happened(what, more)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()  # it has ended: who waits should know

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self):
        self.tell("end")
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        self.log.close()
        if code != 0:
            raise AssertionError(f"QuickFIX/J left with {code}: {pathlib.Path(self.log.name).read_text()[-2000:]}")


class QuickFixJParty:
    def __init__(self, engine, comp_id):
        self.engine, self.comp_id = engine, comp_id
        self.answers, self.tests, self.refused = [], set(), []
        self.logons = self.logouts = 0

    def happened(self, what, more):
        fields = first_fields(pair.split("=", 1) for pair in more.rstrip("|").split("|")) if "=" in more else {}
        if what == "logon":
            self.logons += 1
        elif what == "logout":
            self.logouts += 1
        elif what == "message" or (what == "session" and fields[35] == "3"):
            self.answers.append(fields)
        elif what == "session" and fields[35] == "0" and 112 in fields:
            self.tests.add(fields[112])
        elif what == "refused":
            self.refused.append(more)

    def send(self, fields):
        self.engine.tell(f"send {self.comp_id} " + "|".join(f"{tag}={value}" for tag, value in fields))

    def settled(self):
        name = f"t{next(TESTS)}"
        self.send([(35, "1"), (112, name)])
        self.wait_for("the answer to a TestRequest", lambda: name in self.tests)

    def wait_for(self, what, condition):
        with self.engine.changed:
            if not self.engine.changed.wait_for(lambda: condition() or self.engine.process.poll() is not None, PATIENCE) or not condition():
                log = pathlib.Path(self.engine.log.name).read_text()[-2000:]
                raise AssertionError(f"{self.comp_id} of QuickFIX/J: no {what}; it refused {self.refused}; {log}")

    def relogon(self):
        """Logs out and on again."""
        logons, logouts = self.logons, self.logouts
        self.engine.tell(f"logout {self.comp_id}")
        self.wait_for("logout", lambda: self.logouts > logouts)
        self.engine.tell(f"logon {self.comp_id}")
        self.wait_for("logon", lambda: self.logons > logons)

    def stop(self):
        """Ends with its process."""
