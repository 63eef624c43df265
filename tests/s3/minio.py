"""A real S3 on this machine: MinIO, as tools/install-deps --s3 builds it, with a bucket; and a wire to it that can be cut and slowed down."""
import contextlib
import os
import pathlib
import secrets
import select
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pyarrow.fs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MINIO = ROOT / "build/minio/minio"
PATIENCE = 60
BUCKET = "books"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Minio:
    """`certificates`: a folder with public.crt and private.key, for https."""

    def __init__(self, folder, certificates=None):
        self.folder, self.certificates = pathlib.Path(folder), certificates
        self.port, self.process = None, None
        self._new_keys()
        self.start()
        try:
            self.files().create_dir(BUCKET)
        except BaseException:
            self.stop()
            raise

    def _new_keys(self):
        self.access_key, self.secret_key = "test" + secrets.token_hex(4), secrets.token_hex(16)

    def exchange_keys(self, path):
        """Its owner's are others from now on, also in the file."""
        self.stop()
        self._new_keys()
        self.start()
        self.credentials(path)

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self):
        return f"{'https' if self.certificates else 'http'}://{self.host}"

    def start(self):
        """On the port it had, after the first time; there it tries again and again, as ports are taken for others' connections meanwhile."""
        end = time.monotonic() + PATIENCE
        while True:
            port = self.port or free_port()
            environment = dict(os.environ, MINIO_ROOT_USER=self.access_key, MINIO_ROOT_PASSWORD=self.secret_key, MINIO_BROWSER="off")
            with open(self.folder / "minio.log", "a") as log:
                self.process = subprocess.Popen(
                    [str(MINIO), "server", "--quiet", "--address", f"127.0.0.1:{port}", "--certs-dir", str(self.certificates or self.folder / "no-certs"),
                     str(self.folder / "drive")], env=environment, stdout=log, stderr=log)
            if self._lives(port, end):
                self.port = port
                return
            assert time.monotonic() < end, f"MinIO does not start: {(self.folder / 'minio.log').read_text()[-2000:]}"

    def _lives(self, port, end):
        """Whether it answers; not when it has ended."""
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                if self.certificates:
                    return True
                with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"http://127.0.0.1:{port}/minio/health/ready"):
                    return True
            time.sleep(0.05)
        return False

    def stop(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def files(self):
        """As its owner sees it, through pyarrow."""
        return pyarrow.fs.S3FileSystem(access_key=self.access_key, secret_key=self.secret_key, endpoint_override=self.host, allow_bucket_creation=True,
                                       region="us-east-1", scheme=self.endpoint.split(":")[0], **({"tls_ca_file_path": str(self.certificates / "public.crt")} if self.certificates else {}))

    def objects(self, prefix):
        below = pyarrow.fs.FileSelector(f"{BUCKET}/{prefix}", recursive=True, allow_not_found=True)
        return {f"s3://{info.path}": info.size for info in self.files().get_file_info(below) if info.is_file}

    def credentials(self, path):
        """Its owner's keys, in a file as the AWS tools have them."""
        path.touch(0o600)
        path.write_text(f"[default]\naws_access_key_id = {self.access_key}\naws_secret_access_key = {self.secret_key}\n")
        return path

    def variables(self):
        """The same in the environment, for programs that know nothing else."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


class Wire:
    """A port whose connections go on to another, until it is cut (connections are closed, new ones refused), stalled (they stand open and nothing
    moves) or slow (so many bytes a second in each direction of each)."""

    CHUNK = 16_384

    def __init__(self, port):
        self.to = port
        self.lock = threading.Condition()
        self.stalled, self.bytes_per_second, self.ended = False, None, False
        self.open = {}  # the two sockets of a connection: in how many directions it still carries
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._accept(self.listener)

    def _accept(self, listener):
        self._thread(self._listen, listener)

    def _thread(self, run, *args):
        thread = threading.Thread(target=run, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _listen(self, listener):
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self.to))
                except OSError:
                    here.close()
                    continue
                with self.lock:
                    self.open[here, there] = 2
                self._thread(self._carry, (here, there), here, there)
                self._thread(self._carry, (here, there), there, here)

    def _carry(self, pair, source, sink):
        with contextlib.suppress(OSError, ValueError):
            while True:
                select.select([source], [], [])
                with self.lock:
                    self.lock.wait_for(lambda: not self.stalled or self.ended)
                    rate = self.bytes_per_second
                data = source.recv(self.CHUNK if rate is None else max(1, min(self.CHUNK, rate // 20)))
                if not data:
                    break
                if rate is not None:
                    time.sleep(len(data) / rate)
                sink.sendall(data)
        self._shut(pair)
        with self.lock:
            self.open[pair] -= 1
            if self.open[pair] == 0:
                del self.open[pair]
                source.close(), sink.close()

    @staticmethod
    def _shut(pair):
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for pair in self.open:
                self._shut(pair)

    def mend(self):
        """On the same port, which nobody may have taken meanwhile."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.listener = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:
                assert time.monotonic() < end, "the wire's port was taken"
                time.sleep(0.1)
        self._accept(self.listener)

    def stall(self, stalled=True):
        with self.lock:
            self.stalled = stalled
            self.lock.notify_all()

    def slow(self, bytes_per_second):
        with self.lock:
            self.bytes_per_second = bytes_per_second

    def end(self):
        with self.lock:
            self.ended = True
            self.lock.notify_all()
        with contextlib.suppress(OSError):
            self.cut()
        for thread in self.threads:
            thread.join(PATIENCE)
