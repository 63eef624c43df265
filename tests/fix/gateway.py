"""A server with FIX sessions and a small floor, as the tests here run it (the process itself is tests/crash/server.py's)."""
import json
import pathlib
import ssl
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/crash"))
from server import BIN, PATIENCE, Server, lasting_address, status  # noqa: E402

SERVER_ID = "HALOCLINE"
BEGIN = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0": "FIXT.1.1"}


def floor(books=("b1",)):
    """Reference data: what the tests' trades name."""
    text = '[[currency]]\ncode = "EUR"\nrate = "1.1"\n[[desk]]\nname = "cash"\n'
    text += "".join(f'[[book]]\nname = "{book}"\ndesk = "cash"\n' for book in books)
    text += "".join(f'[[trader]]\nname = "{trader}"\ndesk = "cash"\n' for trader in ("anna", "boris"))
    text += "".join(f'[[counterparty]]\nname = "{name}"\n' for name in ("street", "bank"))
    return text + "".join(share(symbol, currency) for symbol, currency in (("AAPL", "USD"), ("MSFT", "USD"), ("SAP", "EUR")))


def share(symbol, currency="USD"):
    return f'[[instrument]]\nsymbol = "{symbol}"\nkind = "equity"\ncurrency = "{currency}"\n'


def session(comp_id, version="4.4", *keys):
    return "\n".join(["[[fix.session]]", f'their_comp_id = "{comp_id}"', f'begin_string = "{BEGIN[version]}"', *keys]) + "\n"


def make_certificate(directory):
    """A self-signed certificate for the loopback: (certificate, key), PEM files."""
    certificate, key = pathlib.Path(directory) / "server.pem", pathlib.Path(directory) / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key


def trusting(certificate):
    return ssl.create_default_context(cafile=str(certificate))


class Gateway:
    """Starts at once, with a floor. `sessions` is the text of the [[fix.session]] entries; `keys` are lines of [fix]."""

    def __init__(self, directory, sessions, keys=(), reference=None, tls=None, settings=None):
        self.directory, self.data = pathlib.Path(directory), pathlib.Path(directory) / "data"
        self.sessions, self.keys, self.tls, self.settings = sessions, list(keys), tls, settings or {}
        self.listen, self.fix_listen, self.fix_tls_listen = lasting_address(), lasting_address(), lasting_address()
        self.config = self.directory / "halocline.toml"
        self.start()
        self.load(reference or floor())

    def start(self, wait=True):
        keys = [f'listen = "{self.fix_listen}"', *self.keys]
        if self.tls:
            keys += [f'tls_listen = "{self.fix_tls_listen}"', f'tls_certificate = "{self.tls[0]}"', f'tls_key = "{self.tls[1]}"']
        self.config.write_text("[fix]\n" + "\n".join(keys) + "\n" + self.sessions)
        self.server = Server(self.data, self.listen, wait=False, settings=self.settings, config=self.config)
        if wait:
            self.wait_until_serving()
        return self

    def wait_until_serving(self):
        if self.server.wait_until_serving() is None:
            raise AssertionError(f"the server did not start, exit code {self.server.ended()}\n{self.server.said()}")
        self.listen = self.server.address
        for line in (self.data / "serving").read_text().splitlines():
            if line.startswith("fix "):
                self.fix_listen = line.split()[1]
            elif line.startswith("fix_tls "):
                self.fix_tls_listen = line.split()[1]

    @property
    def fix_address(self):
        return address_of(self.fix_listen)

    @property
    def fix_tls_address(self):
        return address_of(self.fix_tls_listen)

    def kill(self):
        return self.server.kill()

    def stop(self):
        """A graceful stop; its exit code must be 0."""
        code = self.server.stop()
        if code != 0:
            raise AssertionError(f"the server left with {code}\n{self.server.said()[-2000:]}")

    def end(self):
        if self.server.process.poll() is None:
            self.stop()

    # -- what it says, over its own interfaces

    def cli(self, *args, check=True, patience=PATIENCE):
        done = subprocess.run([str(BIN), *args, "--server", self.listen], capture_output=True, text=True,
                              timeout=patience)
        if check and done.returncode != 0:
            raise AssertionError(f"halocline {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def load(self, reference):
        """Reference data, as the text of a TOML file."""
        file = self.directory / "reference.toml"
        file.write_text(reference)
        self.cli("ref", "load", str(file))

    def positions(self, node, instrument):
        """Rows, exact at a seq after everything the server had taken before."""
        return json.loads(self.cli("positions", node, "--instrument", instrument, "--json")).get("positions", [])

    def position(self, node, instrument="AAPL"):
        """(quantity, live trades)"""
        rows = self.positions(node, instrument)
        return (rows[0]["quantity"], rows[0]["trades"]) if rows else ("0", 0)

    def status(self, digest=False):
        return status(self.listen, digest)

    def fix_sessions(self):
        return {one["name"]: one for one in json.loads(self.cli("fix", "sessions", "--json"))["sessions"]}

    def wait_until_durable(self, session, number):
        """Until after a crash the session would expect that number, or a later one, which is returned: what came before it is answered."""
        until = time.monotonic() + PATIENCE
        while (durable := self.fix_sessions()[session]["durable_in"]) < number:
            if time.monotonic() > until:
                raise AssertionError(f"{session}: {durable} is durable after {PATIENCE} s, not {number}")
        return durable


def address_of(text):
    host, _, port = text.rpartition(":")
    return host, int(port)
