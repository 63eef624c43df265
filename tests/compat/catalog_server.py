"""`halocline serve` with a catalog on free ports and a directory of its own, for the tests of this folder."""
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("HALOCLINE_BIN", str(ROOT / "build/release/halocline"))
PATIENCE = 60  # seconds for what takes none


class CatalogServer:
    """Started by `start`; `uri` is the catalog's address, `warehouse` its folder."""

    def __init__(self, **settings):
        self.folder = tempfile.TemporaryDirectory(prefix="halocline-catalog-")
        self.data = pathlib.Path(self.folder.name) / "data"
        self.settings = settings
        self.process = None

    @property
    def warehouse(self):
        return f"file://{self.data}/warehouse"

    def start(self):
        args = [BINARY, "serve"]
        settings = {"server.listen": "127.0.0.1:0", "server.data_directory": self.data, "catalog.listen": "127.0.0.1:0",
                    "journal.segment_bytes": 4 << 20, **self.settings}
        for key, value in settings.items():
            args += ["--set", f"{key}={value}"]
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        overdue = threading.Timer(PATIENCE, self.process.kill)
        overdue.start()
        line = self.process.stdout.readline()
        overdue.cancel()
        if ", catalog on " not in line:
            self.process.kill()
            raise RuntimeError(f"the server did not start: {self.process.communicate()[1]}")
        self.uri = line.split(", catalog on ", 1)[1].rstrip(")\n")
        return self

    def stop(self, how=signal.SIGTERM):
        """Its exit code, and what it wrote to the log."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self.folder.cleanup()
