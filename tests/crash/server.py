"""`halocline serve` on a directory, as the crash tests run it, and the programs beside it."""
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HALOCLINE_BIN", ROOT / "build/release/halocline"))
TOOLS = BIN.parent / "tests/crash"
PATIENCE = 60  # seconds for what takes none, on a machine that is busy or in a build with sanitizers
# Names as long as they may be and the smallest segments: a rotation every few hundred trades.
SETTINGS = {"firm.name": "crash", "firm.currency": "USD", "journal.durability": "fsync", "journal.segment_bytes": "327680", "log.level": "info"}


def lasting_address():
    """A free one that is still free when a server that was killed comes back to it: below the range of which connections get theirs.
    Where little is below it, one of that range."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if lowest <= 20_000:
        return "127.0.0.1:0"
    while True:
        address = "127.0.0.1", random.SystemRandom().randrange(10_000, lowest)
        try:
            socket.create_server(address).close()
        except OSError:
            continue
        return f"{address[0]}:{address[1]}"


class Server:
    """Starts it; `address` is None when it ended before it served."""

    def __init__(self, directory, listen="127.0.0.1:0", environment=None, wait=True, settings=None, limit=None, config=None):
        args = [str(BIN), "serve"] + (["--config", str(config)] if config else [])
        for key, value in {**SETTINGS, "server.listen": listen, "server.data_directory": str(directory), **(settings or {})}.items():
            args += ["--set", f"{key}={value}"]
        self.log = open(f"{directory}.log", "ab")
        self.log_start = self.log.tell()
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(environment or {})}, preexec_fn=limit)
        self.address = None
        if wait:
            self.wait_until_serving()

    def wait_until_serving(self):
        line = self.process.stdout.readline().decode()
        if "serving on " in line:
            self.address = line.split("serving on ", 1)[1].split()[0]
        return self.address

    def kill(self):
        self.process.kill()
        return self.ended()

    def stop(self):
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        code = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.log.close()
        return code

    def said(self):
        """What this run of it wrote to stderr."""
        with open(self.log.name, "rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")


class Load:
    """crash_load and the lines it has printed so far."""

    def __init__(self, address, seed, rate, errors):
        self.errors = open(errors, "wb")
        self.process = subprocess.Popen([TOOLS / "crash_load", address, str(seed), str(rate)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)
        self.lines, self.acks, self.ended = [], 0, False
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for text in self.process.stdout:
            line = json.loads(text)
            with self.changed:
                self.lines.append(line)
                self.acks += "ack" in line
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, what, condition, server=None):
        """Until condition() holds. False when the server has ended instead; a load that ends before is a failure."""
        waited = 0
        with self.changed:
            while not condition():
                if self.ended:
                    said = pathlib.Path(self.errors.name).read_text()
                    raise AssertionError(f"the load ended while waiting for {what}: {said}")
                if server is not None and server.process.poll() is not None:
                    return False
                if not self.changed.wait(0.2):  # looks at the server again
                    waited += 0.2
                    if waited > PATIENCE:
                        raise AssertionError(f"no {what} in {PATIENCE} s")
        return True

    def finish(self):
        self.process.stdin.close()
        code = self.ended_with(3 * PATIENCE)
        if code != 0:
            raise AssertionError(f"the load ended with {code}: {pathlib.Path(self.errors.name).read_text()}")
        return self.lines

    def kill(self):
        self.process.kill()
        self.process.stdin.close()
        self.ended_with(PATIENCE)

    def ended_with(self, patience):
        code = self.process.wait(timeout=patience)
        self.reader.join()
        self.process.stdout.close()
        self.errors.close()
        return code


def status(address, digest=False):
    args = [str(BIN), "status", "--json", "--server", address] + (["--digest"] if digest else [])
    return json.loads(subprocess.run(args, check=True, stdout=subprocess.PIPE, timeout=PATIENCE).stdout)


def journal_commands(directory):
    """The journal's commands in the model's fields."""
    out = subprocess.run([TOOLS / "journal_dump", f"{directory}/journal"], check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]
