"""A TCP proxy that loses what it is told to lose, and a token endpoint: what stands between a server and another one's catalog."""
import http.server
import json
import socket
import threading


class CutProxy:
    """Passes connections on to `target`, (host, port). `plan` is taken from, one word for each connection whose first bytes have `match`:
    "answer" loses the answer, "request" the request itself. What stands in `done` was lost."""

    def __init__(self, match):
        self.match = match
        self.target = None
        self.plan = []
        self.done = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                first = client.recv(65536)
                lose = self.plan.pop(0) if self.match in first and self.plan else None
                if lose == "request":
                    self.done.append(lose)
                    return
                with socket.create_connection(self.target) as server:
                    server.sendall(first)
                    back = threading.Thread(target=self._pump, args=(server, client, lose), daemon=True)
                    back.start()
                    self._pump(client, server)
                    back.join()
            except OSError:
                pass

    def _pump(self, source, sink, lose=None):
        """Until one of them ends. An answer that is to be lost is waited for, so that what was asked has happened."""
        try:
            while data := source.recv(65536):
                if lose is not None:
                    self.done.append(lose)
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class JsonServer:
    """Answers each request with what `answer(method, path, body)` returns: a status and an object."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                status, value = answer(self.command, self.path, body)
                text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_HEAD = reply

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
